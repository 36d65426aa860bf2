import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { parametrize, weightNorm } from '../../src/index.ts';
import { syncModel } from '../../src/layers/index.ts';

// The layers of tf.layers with weights, in models that end in one number. On cpu, they are the reference for wasm.

interface Case {
  readonly shape: number[];
  readonly layers: () => tf.layers.Layer[];
  /** A kernel that gets weight norm in the parametrized run; null for none. */
  readonly kernel: string | null;
}

const image = [7, 6, 3];
const cases: Record<string, Case> = {
  dense: { shape: [5], layers: () => [tf.layers.dense({ units: 4, activation: 'tanh' })], kernel: 'kernel' },
  conv1d: {
    shape: [9, 3],
    layers: () => [tf.layers.conv1d({ filters: 4, kernelSize: 3, strides: 2, activation: 'relu' })],
    kernel: 'kernel',
  },
  'conv2d, strided and same': {
    shape: image,
    layers: () => [
      // Positive before the pool: tfjs has wrong gradients on wasm for a maximum below zero.
      tf.layers.conv2d({
        filters: 4,
        kernelSize: [3, 2],
        strides: 2,
        padding: 'same',
        activation: 'sigmoid',
      }),
      tf.layers.maxPooling2d({ poolSize: 2 }),
    ],
    kernel: 'kernel',
  },
  'conv2d, channels first': {
    shape: [3, 7, 6],
    layers: () => [tf.layers.conv2d({ filters: 4, kernelSize: 3, dataFormat: 'channelsFirst' })],
    kernel: 'kernel',
  },
  conv2dTranspose: {
    shape: image,
    layers: () => [tf.layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' })],
    kernel: 'kernel',
  },
  separableConv2d: {
    shape: image,
    layers: () => [tf.layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2 })],
    kernel: 'pointwiseKernel',
  },
  depthwiseConv2d: {
    shape: image,
    layers: () => [
      tf.layers.depthwiseConv2d({ kernelSize: 3, strides: 2, depthMultiplier: 2, padding: 'same' }),
    ],
    kernel: 'depthwiseKernel',
  },
  conv3d: {
    shape: [4, 4, 4, 2],
    layers: () => [tf.layers.conv3d({ filters: 2, kernelSize: 2 })],
    kernel: 'kernel',
  },
  embedding: {
    shape: [4],
    layers: () => [tf.layers.embedding({ inputDim: 6, outputDim: 3 })],
    kernel: 'embeddings',
  },
  lstm: { shape: [4, 3], layers: () => [tf.layers.lstm({ units: 3 })], kernel: 'kernel' },
  gru: { shape: [4, 3], layers: () => [tf.layers.gru({ units: 3 })], kernel: 'recurrentKernel' },
  simpleRNN: { shape: [4, 3], layers: () => [tf.layers.simpleRNN({ units: 3 })], kernel: 'kernel' },
  convLstm2d: {
    shape: [2, 4, 4, 2],
    layers: () => [tf.layers.convLstm2d({ filters: 2, kernelSize: 2 }) as unknown as tf.layers.Layer],
    kernel: null,
  },
  batchNormalization: {
    shape: image,
    layers: () => [tf.layers.conv2d({ filters: 3, kernelSize: 2 }), tf.layers.batchNormalization()],
    kernel: null,
  },
  layerNormalization: {
    shape: [5],
    layers: () => [tf.layers.dense({ units: 4 }), tf.layers.layerNormalization()],
    kernel: null,
  },
  prelu: { shape: [5], layers: () => [tf.layers.dense({ units: 4 }), tf.layers.prelu()], kernel: null },
};

/** Fixed numbers of both signs, or whole numbers below 6 for embeddings. */
const numbers = (shape: number[], isWhole: boolean): tf.Tensor =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) =>
      isWhole ? (i * i + 3 * i) % 6 : Math.sin(1 + 2.7 * i + 0.3 * i * i),
    ),
    shape,
  );

/** Returns the losses of 20 steps from fixed weights. */
async function lossesOf({ shape, layers, kernel }: Case, name: string, isNormed: boolean): Promise<number[]> {
  const own = layers();
  const model = tf.sequential();
  model.add(tf.layers.inputLayer({ inputShape: shape }));
  for (const layer of own) model.add(layer);
  if (model.outputs[0]!.shape.length > 2) model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 1 }));
  tf.tidy(() =>
    model.setWeights(
      model.getWeights().map((weight, i) => tf.mul(0.3, tf.add(numbers(weight.shape, false), i % 2))),
    ),
  );
  model.compile({ optimizer: tf.train.adam(0.02), loss: 'meanSquaredError' });
  if (isNormed) {
    parametrize(own[0]!, [{ name: kernel!, apply: weightNorm }]);
    syncModel(model);
  }
  const [x, y] = [numbers([6, ...shape], name === 'embedding'), numbers([6, 1], false)];
  const losses: number[] = [];
  for (let i = 0; i < 20; i++) losses.push((await model.trainOnBatch(x, y)) as number);
  tf.dispose([x, y]);
  model.optimizer.dispose();
  model.dispose();
  return losses;
}

const runs = Object.entries(cases).flatMap(([name, one]) =>
  (one.kernel === null ? [false] : [false, true]).map((isNormed) => [name, isNormed, one] as const),
);

it.each(runs)('%s trains to the losses of cpu, with weight norm: %s', async (name, isNormed, one) => {
  const losses = await lossesOf(one, name, isNormed);
  const backend = tf.getBackend();
  await tf.setBackend('cpu');
  const wanted = backend === 'cpu' ? losses : await lossesOf(one, name, isNormed);
  await tf.setBackend(backend);
  expect(losses).toBeAllClose(wanted, { relative: 1e-4, absolute: 1e-4 });
  expect(losses.at(-1)!).toBeLessThan(losses[0]!);
});
