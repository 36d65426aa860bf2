import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';

// The networks of test/golden/generate_layers.py as somebody would write them in tf.layers.

interface Packed {
  readonly shape: number[];
  readonly data: number[];
}

const folder = new URL('../golden/layers/', import.meta.url);

const table = JSON.parse(readFileSync(new URL('layers.json', folder), 'utf8')) as Record<
  string,
  { readonly x: Packed; readonly y: Packed }
>;

/** The state dict of a network. */
export const fileOf = (name: string): Uint8Array => readFileSync(new URL(`${name}.pt`, folder));

/** What torch was given and gave, with channels last; the caller's. */
export function goldenOf(name: string): { x: tf.Tensor; y: tf.Tensor } {
  const { x, y } = table[name]!;
  return { x: channelsLast(x), y: channelsLast(y) };
}

const channelsLast = ({ shape, data }: Packed): tf.Tensor =>
  tf.tidy(() => {
    const tensor = tf.tensor(data, shape);
    return shape.length < 4 && !isSequence(shape)
      ? tensor
      : tf.transpose(tensor, [0, ...shape.map((_, axis) => axis).slice(2), 1]);
  });

// Of three axes, only conv1d has its channels second.
const isSequence = (shape: readonly number[]): boolean => String(shape) === '2,2,8';

/** Small enough a difference. */
export const within = { relative: 1e-4, absolute: 1e-4 };

const torchNorm = { epsilon: 1e-5 };

const mlp = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.dense({ units: 5, activation: 'tanh', inputShape: [4] }),
      tf.layers.dense({ units: 3 }),
      tf.layers.layerNormalization(torchNorm),
    ],
  });

const cnn = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', inputShape: [6, 6, 2] }),
      tf.layers.batchNormalization(torchNorm),
      tf.layers.prelu({ sharedAxes: [1, 2] }),
      tf.layers.conv2d({ filters: 4, kernelSize: 2, strides: 2 }),
      tf.layers.prelu(),
      tf.layers.flatten(),
      tf.layers.dropout({ rate: 0.5 }),
      tf.layers.dense({ units: 3 }),
    ],
  });

const generator = (): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.dense({ units: 16, inputShape: [3] }),
      tf.layers.batchNormalization(torchNorm),
      tf.layers.reLU(),
      tf.layers.reshape({ targetShape: [2, 2, 4] }),
      tf.layers.conv2dTranspose({
        filters: 3,
        kernelSize: 4,
        strides: 2,
        padding: 'same',
        activation: 'relu',
      }),
      tf.layers.conv2dTranspose({
        filters: 2,
        kernelSize: 4,
        strides: 2,
        padding: 'same',
        useBias: false,
        activation: 'tanh',
      }),
    ],
  });

const lstm = (units: number): tf.layers.Layer =>
  tf.layers.lstm({ units, returnSequences: true, recurrentActivation: 'sigmoid' });

const reader = (...layers: tf.layers.Layer[]): tf.Sequential =>
  tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 4 }),
      ...layers,
      tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 2 }) }),
    ],
  });

/** The networks, as models. */
export const layerNetworks: Readonly<Record<string, () => tf.Sequential>> = {
  mlp,
  mlp_weight_norm: mlp,
  mlp_weight_norm_inputs: mlp,
  mlp_spectral_norm: mlp,
  cnn,
  cnn_weight_norm: cnn,
  cnn_spectral_norm: cnn,
  cnn_modern_spectral_norm: cnn,
  generator,
  generator_weight_norm: generator,
  generator_spectral_norm: generator,
  conv1d: () =>
    tf.sequential({
      layers: [
        tf.layers.conv1d({ filters: 3, kernelSize: 3, activation: 'relu', inputShape: [8, 2] }),
        tf.layers.maxPooling1d({ poolSize: 2, strides: 2 }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    }),
  conv3d: () =>
    tf.sequential({
      layers: [
        tf.layers.conv3d({ filters: 3, kernelSize: 2, inputShape: [3, 3, 3, 2] }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2 }),
      ],
    }),
  conv_transpose3d: () =>
    tf.sequential({
      layers: [
        tf.layers.conv3dTranspose({
          filters: 3,
          kernelSize: 2,
          strides: 2,
          inputShape: [2, 2, 2, 2],
        }) as tf.layers.Layer,
      ],
    }),
  depthwise: () =>
    tf.sequential({
      layers: [
        tf.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 3, inputShape: [5, 5, 2] }),
        tf.layers.separableConv2d({ filters: 3, kernelSize: 2, depthMultiplier: 2 }),
      ],
    }),
  rnn: () => reader(tf.layers.simpleRNN({ units: 4, returnSequences: true })),
  lstm: () => reader(lstm(4), lstm(4)),
  bidirectional: () => reader(tf.layers.bidirectional({ layer: lstm(4) as never, mergeMode: 'concat' })),
  weight_norm_rnn: () => reader(lstm(4)),
};

/** A place in memory for one checkpoint of `tf.io`. */
export function memoryHandler(): tf.io.IOHandler & { names(): string[] } {
  let kept: tf.io.ModelArtifacts | undefined;
  return {
    save: async (artifacts) => {
      kept = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    },
    load: async () => kept!,
    names: () => kept!.weightSpecs!.map(({ name }) => name),
  };
}
