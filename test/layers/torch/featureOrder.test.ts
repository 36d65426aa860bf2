import * as tf from '@tensorflow/tfjs';
import { nn } from 'tfjs-parametrize';
import { MeanOnlyBatchNormalization } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { type CheckpointReport, loadCheckpoint, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import { memoryHandler } from '../../checkpoint/layerNetworks.ts';

/** Loads what a network of nn has, by the order of its modules, or by the names of the layers. */
async function loaded(model: tf.LayersModel, torch: nn.Module, rename = {}): Promise<CheckpointReport> {
  const handler = memoryHandler();
  await saveCheckpoint(torch, handler);
  return loadCheckpoint(model, handler, { rename });
}

const channelsLast = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, 2, 3, 1]);

function expectAlike(model: tf.LayersModel, torch: nn.Sequential, shape: number[]): void {
  tf.tidy(() => {
    const x = tf.randomNormal(shape, 0, 1, 'float32', 1);
    const expected = torch.call(x) as tf.Tensor;
    const given = model.predict(shape.length === 4 ? channelsLast(x) : x) as tf.Tensor;
    expect(expected.rank === 4 ? tf.transpose(given, [0, 3, 1, 2]) : given).toBeAllClose(expected, {
      relative: 1e-4,
      absolute: 1e-5,
    });
  });
}

describe('the order of features', () => {
  it('is found through models in models, and what passes features on', async () => {
    const base = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 2] }),
        tf.layers.leakyReLU({ alpha: 0.01 }),
      ],
    });
    const head = tf.sequential({
      layers: [
        tf.layers.flatten({ inputShape: [3, 3, 3] }),
        tf.layers.dropout({ rate: 0.1 }),
        tf.layers.dense({ units: 2 }),
      ],
    });
    const input = tf.input({ shape: [4, 4, 2] });
    const output = head.apply(base.apply(input)) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: output });
    const torch = new nn.Sequential(
      new nn.Conv2d(2, 3, 2),
      new nn.LeakyReLU(0.01),
      new nn.Flatten(),
      new nn.Linear(27, 2),
    ).eval();
    const { mapped, notes } = await loaded(model, torch);
    expect(mapped.map(nn.mappingText)).toContain('transposed [out, c·h·w] → [h·w·c, out]');
    expect(notes).toEqual([]);
    expectAlike(model, torch, [2, 2, 4, 4]);
    torch.dispose();
    model.dispose();
  });

  it('is kept by normalization layers, those of this package too', async () => {
    const make = (normalization: tf.layers.Layer) =>
      tf.sequential({
        layers: [
          tf.layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [3, 3, 2], useBias: false }),
          normalization,
          tf.layers.flatten(),
          tf.layers.dense({ units: 2, name: 'out' }),
        ],
      });
    for (const normalization of [
      tf.layers.batchNormalization({ epsilon: 1e-5 }),
      new MeanOnlyBatchNormalization(),
    ]) {
      const model = make(normalization);
      const handler = memoryHandler();
      await saveCheckpoint(model, handler);
      const { notes, mapped } = await loadCheckpoint(model, handler);
      expect(notes).toEqual([]);
      expect(nn.mappingText(mapped.find(({ from }) => from[0] === 'out.weight')!)).toBe(
        'transposed [out, c·h·w] → [h·w·c, out]',
      );
      model.dispose();
    }
  });

  it('goes through an autoencoder, from maps to features to maps', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [3, 3, 1] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 4 }),
        tf.layers.dense({ units: 12, activation: 'relu' }),
        tf.layers.reshape({ targetShape: [2, 2, 3] }),
        tf.layers.conv2dTranspose({ filters: 1, kernelSize: 2 }),
      ],
    });
    const torch = new nn.Sequential(
      new nn.Conv2d(1, 3, 2),
      new nn.Flatten(),
      new nn.Linear(12, 4),
      new nn.Linear(4, 12),
      new nn.ReLU(),
      new nn.Unflatten(1, [3, 2, 2]),
      new nn.ConvTranspose2d(3, 1, 2),
    );
    await loaded(model, torch);
    expectAlike(model, torch, [2, 1, 3, 3]);
    torch.dispose();
    model.dispose();
  });

  it('stays where sequences are flattened, which torch has in the same order', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.simpleRNN({ units: 3, returnSequences: true, inputShape: [4, 2] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    });
    class Torch extends nn.Module {
      rnn = new nn.RNN(2, 3, { batchFirst: true });
      out = new nn.Linear(12, 2);
      forward(x: tf.Tensor): tf.Tensor {
        return this.out.call(tf.reshape(this.rnn.call(x)[0], [-1, 12]));
      }
    }
    const torch = new Torch();
    const { notes } = await loaded(model, torch);
    expect(notes).toEqual([]);
    expectAlike(model, torch as never, [2, 4, 2]);
    torch.dispose();
    model.dispose();
  });

  it.each([
    [
      'an input',
      () => [
        tf.layers.flatten({ inputShape: [2, 2, 3], name: 'flat' }),
        tf.layers.dense({ units: 2, name: 'out' }),
      ],
    ],
    [
      'pooled sequences',
      () => [
        tf.layers.embedding({ inputDim: 3, outputDim: 3, inputLength: 8 }),
        tf.layers.maxPooling1d({ poolSize: 2 }),
        tf.layers.flatten({ name: 'flat' }),
        tf.layers.dense({ units: 2, name: 'out' }),
      ],
    ],
  ])('is left as it is, and said to be unknown, where %s is flattened', async (_, layers) => {
    const model = tf.sequential({ layers: layers() });
    const handler = memoryHandler();
    await saveCheckpoint(model, handler);
    const { notes, mapped } = await loadCheckpoint(model, handler);
    expect(notes).toEqual([
      {
        kind: 'model',
        text: "'flat' flattens what may or may not be channels first in torch: the weights of 'out' are as in the file",
      },
    ]);
    expect(nn.mappingText(mapped.find(({ from }) => from[0] === 'out.weight')!)).toBe(
      'transposed [out, in] → [in, out]',
    );
    model.dispose();
  });

  it('is no question where one order is all there is', async () => {
    const model = tf.sequential({
      layers: [tf.layers.flatten({ inputShape: [1, 5, 1] }), tf.layers.dense({ units: 1 })],
    });
    const handler = memoryHandler();
    await saveCheckpoint(model, handler);
    expect((await loadCheckpoint(model, handler)).notes).toEqual([]);
    model.dispose();
  });
});
