import * as tf from '@tensorflow/tfjs';

/** A layer type, in a small model, with the weights of it that can be parametrized. */
export interface LayerCase {
  /** Makes the layer. */
  readonly make: () => tf.layers.Layer;
  /** Shape of one input. */
  readonly inputShape: readonly number[];
  /** Highest number that an input holds plus one, where inputs are numbers of tokens. */
  readonly tokens?: number;
  /** The paths of its kernels, from the layer. */
  readonly kernels: readonly string[];
  /** Axes of each kernel that number the outputs. */
  readonly outputAxes: readonly (readonly number[])[];
  /** The operations whose gradient or kernel tfjs lacks for training it, by backend. */
  readonly untrainable?: { readonly cpu?: string; readonly wasm?: string };
  /** True if tfjs computes something else every time on wasm: its kernel adds to memory that it has not cleared. */
  readonly isWrongOnWasm?: boolean;
  /** True if each output has one number only, whose direction cannot be trained. */
  readonly isVector?: boolean;
}

/** A layer of one's own, with a weight from `addWeight`. */
class Scale extends tf.layers.Layer {
  static className = 'Scale';
  gain!: tf.LayerVariable;
  override build(inputShape: tf.Shape): void {
    this.gain = this.addWeight('gain', [inputShape.at(-1)!], 'float32', tf.initializers.ones());
    super.build(inputShape);
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => tf.mul(Array.isArray(inputs) ? inputs[0]! : inputs, this.gain.read()));
  }
}
tf.serialization.registerClass(Scale);

export const layerCases: Record<string, LayerCase> = {
  Dense: {
    make: () => tf.layers.dense({ units: 3, activation: 'tanh' }),
    inputShape: [4],
    kernels: ['kernel'],
    outputAxes: [[1]],
  },
  Conv1D: {
    make: () => tf.layers.conv1d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
    inputShape: [5, 2],
    kernels: ['kernel'],
    outputAxes: [[2]],
  },
  Conv2D: {
    make: () => tf.layers.conv2d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
    inputShape: [4, 4, 2],
    kernels: ['kernel'],
    outputAxes: [[3]],
  },
  Conv3D: {
    make: () => tf.layers.conv3d({ filters: 2, kernelSize: 2, activation: 'tanh' }),
    inputShape: [3, 3, 3, 1],
    kernels: ['kernel'],
    outputAxes: [[4]],
  },
  Conv2DTranspose: {
    make: () => tf.layers.conv2dTranspose({ filters: 3, kernelSize: 2, activation: 'tanh' }),
    inputShape: [3, 3, 2],
    kernels: ['kernel'],
    outputAxes: [[2]],
  },
  Conv3DTranspose: {
    make: () => tf.layers.conv3dTranspose({ filters: 2, kernelSize: 2, activation: 'tanh' }),
    inputShape: [2, 2, 2, 1],
    kernels: ['kernel'],
    outputAxes: [[3]],
    untrainable: { cpu: 'Conv3DBackpropInputV2', wasm: 'Conv3DBackpropInputV2' },
    isWrongOnWasm: true,
  },
  DepthwiseConv2D: {
    make: () => tf.layers.depthwiseConv2d({ depthMultiplier: 2, kernelSize: 2, activation: 'tanh' }),
    inputShape: [4, 4, 2],
    kernels: ['depthwiseKernel'],
    outputAxes: [[2, 3]],
  },
  SeparableConv2D: {
    make: () => tf.layers.separableConv2d({ filters: 3, kernelSize: 2, activation: 'tanh' }),
    inputShape: [4, 4, 2],
    kernels: ['depthwiseKernel', 'pointwiseKernel'],
    outputAxes: [[2, 3], [3]],
  },
  Embedding: {
    make: () => tf.layers.embedding({ inputDim: 6, outputDim: 3 }),
    inputShape: [4],
    tokens: 6,
    kernels: ['embeddings'],
    outputAxes: [[0]],
  },
  SimpleRNN: {
    make: () => tf.layers.simpleRNN({ units: 3 }),
    inputShape: [4, 2],
    kernels: ['cell.kernel', 'cell.recurrentKernel'],
    outputAxes: [[1], [1]],
  },
  GRU: {
    make: () => tf.layers.gru({ units: 3, returnSequences: true }),
    inputShape: [4, 2],
    kernels: ['cell.kernel', 'cell.recurrentKernel'],
    outputAxes: [[1], [1]],
  },
  LSTM: {
    make: () => tf.layers.lstm({ units: 3 }),
    inputShape: [4, 2],
    kernels: ['cell.kernel', 'cell.recurrentKernel'],
    outputAxes: [[1], [1]],
  },
  'RNN of stacked cells': {
    make: () => tf.layers.rnn({ cell: [tf.layers.lstmCell({ units: 3 }), tf.layers.gruCell({ units: 2 })] }),
    inputShape: [4, 2],
    kernels: ['cell.cells.0.kernel', 'cell.cells.1.recurrentKernel'],
    outputAxes: [[1], [1]],
  },
  Bidirectional: {
    make: () => tf.layers.bidirectional({ layer: tf.layers.lstm({ units: 2 }) }),
    inputShape: [4, 2],
    kernels: ['forwardLayer.cell.kernel', 'backwardLayer.cell.recurrentKernel'],
    outputAxes: [[1], [1]],
  },
  TimeDistributed: {
    make: () => tf.layers.timeDistributed({ layer: tf.layers.dense({ units: 3, activation: 'tanh' }) }),
    inputShape: [4, 2],
    kernels: ['layer.kernel'],
    outputAxes: [[1]],
  },
  ConvLSTM2D: {
    make: () => tf.layers.convLstm2d({ filters: 2, kernelSize: 2 }),
    inputShape: [3, 4, 4, 1],
    kernels: ['cell.kernel', 'cell.recurrentKernel'],
    outputAxes: [[3], [3]],
  },
  BatchNormalization: {
    make: () => tf.layers.batchNormalization({}),
    inputShape: [4],
    kernels: ['gamma'],
    outputAxes: [[0]],
    isVector: true,
  },
  LayerNormalization: {
    make: () => tf.layers.layerNormalization({}),
    inputShape: [4],
    kernels: ['gamma'],
    outputAxes: [[0]],
    isVector: true,
  },
  PReLU: {
    make: () => tf.layers.prelu({}),
    inputShape: [4],
    kernels: ['alpha'],
    outputAxes: [[0]],
    isVector: true,
  },
  'custom layer': {
    make: () => new Scale({}),
    inputShape: [4],
    kernels: ['gain'],
    outputAxes: [[0]],
    isVector: true,
  },
};

const { TFJS_BACKEND } = process.env;

/** The layer types that tfjs can train on the backend of this run. */
export const trainable: [string, LayerCase][] = Object.entries(layerCases).filter(
  ([, { untrainable }]) => untrainable?.[TFJS_BACKEND as 'cpu' | 'wasm'] === undefined,
);

/** The others, each with the operation that tfjs lacks. */
export const untrainable: [string, LayerCase, string][] = Object.entries(layerCases).flatMap(
  ([name, layerCase]) => {
    const missing = layerCase.untrainable?.[TFJS_BACKEND as 'cpu' | 'wasm'];
    return missing === undefined ? [] : [[name, layerCase, missing]];
  },
);

/** A model of a layer and a linear readout, with the same numbers every time. */
export function modelOf({ make, inputShape }: LayerCase, seed = 1): tf.Sequential {
  const layer = make();
  const model = tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [...inputShape] }), layer] });
  if ((model.outputs[0]!.shape as number[]).length > 2) model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 1 }));
  setNumbers(model, seed);
  return model;
}

/** The layer of the case in its model. */
export const layerOf = (model: tf.Sequential): tf.layers.Layer => model.layers[1]!;

/** Gives every weight numbers of its own: variances must be positive, and nothing may be zero. */
export function setNumbers(model: tf.LayersModel, seed: number): void {
  tf.tidy(() => {
    model.setWeights(
      model.getWeights().map((weight, i) => {
        const normal = tf.randomNormal(weight.shape, 0, 0.5, 'float32', seed * 100 + i);
        return weight.rank === 1 ? tf.add(0.5, tf.abs(normal)) : normal;
      }),
    );
  });
}

/** Inputs and targets for a case. */
export function dataOf({ inputShape, tokens }: LayerCase, count = 8): { x: tf.Tensor; y: tf.Tensor } {
  const shape = [count, ...inputShape];
  const x =
    tokens === undefined
      ? tf.randomNormal(shape, 0, 1, 'float32', 11)
      : tf.tidy(() => tf.floor(tf.randomUniform(shape, 0, tokens, 'float32', 11)));
  return { x, y: tf.randomNormal([count, 1], 0, 1, 'float32', 12) };
}

/** The object below a layer that a path leads to: for functions that take it as it is. */
export function at(layer: object, path: string): { host: tf.layers.Layer; name: string } {
  const parts = path.split('.');
  const name = parts.pop()!;
  const host = parts.reduce((owner, part) => (owner as Record<string, object>)[part]!, layer);
  return { host: host as tf.layers.Layer, name };
}

/** The weight of a path. */
export function weightAt(layer: object, path: string): tf.LayerVariable {
  const { host, name } = at(layer, path);
  return (host as unknown as Record<string, tf.LayerVariable>)[name]!;
}

/** Disposes a model, its optimizer, and what the momentum optimizer of tfjs forgets. */
export function disposeModel(model: tf.LayersModel): void {
  const optimizer = model.optimizer as (tf.Optimizer & { c?: tf.Tensor }) | undefined;
  optimizer?.dispose();
  optimizer?.c?.dispose();
  model.dispose();
}
