import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  initializeFromBatch,
  nn,
  orthogonal,
  registerParametrization,
  spectralNorm,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { flatten } from '../../toBeAllClose.ts';

/** Mean and standard deviation of each output, over all other axes. */
const momentsOf = (y: tf.Tensor, axis: number): { means: number[]; stds: number[] } =>
  tf.tidy(() => {
    const { mean, variance } = tf.moments(
      y,
      y.shape.map((_, i) => i).filter((i) => i !== axis),
    );
    return { means: flatten(mean), stds: flatten(tf.sqrt(variance)) };
  });

const filled = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe('initializeFromBatch', () => {
  it('gives the output of every layer mean 0 and the standard deviation, each on the input that it then has', async () => {
    nn.manualSeed(2);
    const model = new nn.Sequential(
      weightNorm(new nn.Conv1d(2, 4, 3, { padding: 'causal' })),
      new nn.ReLU(),
      weightNorm(new nn.ConvTranspose1d(4, 3, 2, { stride: 2 }), 'weight', { dim: 1 }),
      new nn.BatchNorm1d(3),
      new nn.Flatten(),
      weightNorm(new nn.Linear(30, 5)),
    );
    const x = tf.randomNormal([16, 2, 5], 3, 2, 'float32', 1);
    const v = flatten(model.stateDict()['0.parametrizations.weight.original1'] as tf.Tensor);
    const buffers = model.buffers().map((buffer) => flatten(buffer));
    const report = await initializeFromBatch(model, x, { scale: 0.5 });
    expect(report.map(({ path }) => path)).toEqual(['0', '2', '5']);
    for (const { mean, std } of report) {
      expect(mean).toBeCloseTo(0, 5);
      expect(std).toBeCloseTo(0.5, 4);
    }
    expect(flatten(model.stateDict()['0.parametrizations.weight.original1'] as tf.Tensor)).toEqual(v);
    expect(model.buffers().map((buffer) => flatten(buffer))).toEqual(buffers);
    // The same without hooks, from the weights alone.
    tf.tidy(() => {
      let y: tf.Tensor = x;
      for (const layer of model.children()) {
        y = layer.call(y) as tf.Tensor;
        if (layer instanceof nn.ReLU || layer instanceof nn.BatchNorm1d || layer instanceof nn.Flatten)
          continue;
        const { means, stds } = momentsOf(y, 1);
        expect(means).toBeAllClose(filled(means.length, 0), { absolute: 1e-4 });
        expect(stds).toBeAllClose(filled(stds.length, 0.5), { relative: 1e-3 });
      }
    });
    model.dispose();
    x.dispose();
  });

  it('changes only g where there is no bias, and leaves constant outputs as they are', async () => {
    const layer = weightNorm(new nn.Linear(2, 2, { bias: false }));
    tf.tidy(() => {
      layer.weight = tf.tensor2d([
        [1, 0],
        [0, 1],
      ]);
    });
    const x = tf.tensor2d([
      [1, 7],
      [3, 7],
    ]);
    const [report] = await initializeFromBatch(layer, x);
    tf.tidy(() => {
      expect(layer.weight).toBeAllClose([
        [1, 0],
        [0, 1],
      ]);
      expect(layer.call(x)).toBeAllClose(x);
    });
    expect(report!.mean).toBeCloseTo(4.5, 5);
    layer.dispose();
    x.dispose();
  });

  it('initializes a layer that runs twice by its first run, and a parametrized bias', async () => {
    const shared = weightNorm(new nn.Linear(3, 3));
    registerParametrization(shared, 'bias', {
      forward: (b) => tf.mul(b, 2),
      rightInverse: (b) => tf.div(b, 2),
    });
    const model = new nn.Sequential(shared, shared);
    const x = tf.randomNormal([20, 3], 1, 3, 'float32', 4);
    const report = await initializeFromBatch(model, [x]);
    expect(report).toHaveLength(1);
    tf.tidy(() => {
      const { means, stds } = momentsOf(shared.call(x), 1);
      expect(means).toBeAllClose([0, 0, 0], { absolute: 1e-4 });
      expect(stds).toBeAllClose([1, 1, 1], { relative: 1e-3 });
    });
    model.dispose();
    x.dispose();
  });

  it('initializes layers of tf.layers before their activations', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: 2, activation: 'relu', inputShape: [5, 4, 2], name: 'c' }),
        tf.layers.conv2dTranspose({ filters: 2, kernelSize: 2, activation: 'tanh', name: 't' }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 4, activation: 'softmax', name: 'd' }),
      ],
    });
    for (const name of ['c', 't', 'd']) weightNorm(model.getLayer(name) as never, 'kernel');
    const x = tf.randomNormal([40, 5, 4, 2], -1, 2, 'float32', 3);
    const before = Object.getOwnPropertyDescriptors(model.getLayer('c'));
    const report = await initializeFromBatch(model, x, { scale: 2 });
    expect(report.map(({ path }) => path)).toEqual(['c', 't', 'd']);
    for (const { mean, std } of report) {
      expect(mean).toBeCloseTo(0, 4);
      expect(std).toBeCloseTo(2, 4);
    }
    const probabilities = model.predict(x) as tf.Tensor;
    // Logits of standard deviation 2 through softmax: the activation is back.
    tf.tidy(() => {
      expect(tf.sum(probabilities, 1)).toBeAllClose(tf.ones([40]), { absolute: 1e-5 });
      const head = tf.model({
        inputs: model.inputs,
        outputs: model.getLayer('c').output as tf.SymbolicTensor,
      });
      const y = head.predict(x, { batchSize: 40 }) as tf.Tensor;
      expect(tf.min(y).dataSync()[0]).toBe(0);
      expect(Object.getOwnPropertyDescriptors(model.getLayer('c'))).toEqual(before);
    });
    const [again] = await initializeFromBatch(model, x, { match: 'c', scale: 2 });
    expect(again!.std).toBeCloseTo(2, 4);
    tf.dispose([x, probabilities]);
    model.dispose();
  });

  it('refuses what has no norm for each output, with nothing changed', async () => {
    const x = tf.ones([4, 2]);
    const refused = async (
      model: nn.Module,
      options: object,
      code: string,
      batch: unknown = x,
    ): Promise<void> => {
      const before = Object.values(model.stateDict()).map((value) => flatten(value as tf.Tensor));
      await expect(initializeFromBatch(model, batch as tf.Tensor, options)).rejects.toMatchObject({ code });
      expect(Object.values(model.stateDict()).map((value) => flatten(value as tf.Tensor))).toEqual(before);
      model.dispose();
    };
    const linear = (): nn.Linear => new nn.Linear(2, 2);
    await refused(linear(), {}, 'NOT_PARAMETRIZED');
    await refused(spectralNorm(linear()), {}, 'NOT_PARAMETRIZED');
    await refused(linear(), { match: '**' }, 'NOT_PARAMETRIZED');
    await refused(weightNorm(linear(), { dim: 1 }), {}, 'OPTION');
    await refused(weightNorm(linear(), { dim: null }), {}, 'OPTION');
    await refused(weightNorm(new nn.ConvTranspose1d(2, 3, 2), { dim: 0 }), {}, 'OPTION');
    await refused(weightNorm(new nn.Embedding(4, 3)), {}, 'UNSUPPORTED');
    await refused(weightNorm(new nn.LSTM(2, 3), 'weight_hh_l0'), {}, 'UNSUPPORTED');
    await refused(registerParametrization(weightNorm(linear()), 'weight', tf.tanh), {}, 'UNSUPPORTED');
    await refused(weightNorm(linear()), { match: 'x' }, 'UNMATCHED_RULE');
    await refused(weightNorm(linear()), { scale: 0 }, 'OPTION');
    await refused(weightNorm(linear()), { eps: -1 }, 'OPTION');
    await refused(weightNorm(linear()), { std: 1 }, 'OPTION');
    await refused(weightNorm(linear()), {}, 'OPTION', 3);
    await refused(weightNorm(linear()), {}, 'OPTION', []);
    const late = new nn.Sequential(weightNorm(linear()), new nn.Linear(5, 1));
    await refused(late, {}, 'SHAPE');
    class Unused extends nn.Module {
      first = weightNorm(new nn.Linear(2, 2));
      second = weightNorm(new nn.Linear(2, 2));
      forward(input: tf.Tensor): tf.Tensor {
        return this.first.call(input);
      }
    }
    await refused(new Unused(), {}, 'OPTION');
    await refused(orthogonal(linear()), {}, 'NOT_PARAMETRIZED');
    x.dispose();
  });
});
