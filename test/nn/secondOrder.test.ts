import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { manualSeed, SiLU, Softmax } from '../../src/nn/index.ts';
import { example, expectGradients } from './gradientCheck.ts';
import { callLayer, layerClasses } from './layerGolden.ts';

// The golden numbers have a fixed gradient of the output, so they cannot tell whether the gradient of a layer can be
// differentiated with respect to *that*, which a second order through two layers needs. Here it depends on everything.

/** Classes without a forward pass of their own. */
const withoutForward = ['ModuleDict', 'ModuleList', 'ModuleSequence', 'ParameterDict', 'ParameterList'];

type Input = readonly number[] | { readonly indices: readonly number[] };

/** A layer by the arguments of its constructor, and for each input its shape, or its indices. */
const row = (args: readonly unknown[], ...inputs: Input[]) => ({ args, inputs });

const activation = row([], [2, 1, 4]);
const recurrent = row([2, 2, { bidirectional: true }], [2, 2, 2], [2, 2, 2]);

/** By class; what follows a comma says what is special. */
const rows: Readonly<Record<string, ReturnType<typeof row>>> = {
  AdaptiveAvgPool1d: row([3], [1, 2, 5]),
  AdaptiveAvgPool2d: row([[3, 2]], [1, 2, 5, 4]),
  AvgPool1d: row([3, { stride: 2, padding: 1 }], [1, 2, 5]),
  AvgPool2d: row([[2, 3], { padding: 1 }], [1, 2, 4, 5]),
  BatchNorm1d: row([3], [4, 3]),
  BatchNorm2d: row([2], [2, 2, 2, 3]),
  Bilinear: row([3, 2, 2], [2, 3], [2, 2]),
  CELU: activation,
  CircularPad1d: row([2], [1, 2, 3]),
  CircularPad2d: row([[1, 2, 0, 3]], [1, 2, 3, 3]),
  ConstantPad1d: row([[1, -1], 0.5], [1, 2, 3]),
  ConstantPad2d: row([[1, 0, -1, 2], 0.5], [1, 2, 3, 3]),
  Conv1d: row([4, 2, 2, { groups: 2, stride: 2, dilation: 2, padding: 1 }], [2, 4, 6]),
  Conv2d: row([2, 3, [3, 2], { stride: [2, 1], dilation: [1, 2], padding: 1 }], [2, 2, 4, 4]),
  Conv3d: row([2, 2, 2, { stride: 2, dilation: [1, 2, 1], padding: 1 }], [1, 2, 3, 3, 2]),
  ConvTranspose1d: row(
    [4, 2, 3, { groups: 2, stride: 2, dilation: 2, padding: 1, outputPadding: 1 }],
    [2, 4, 3],
  ),
  ConvTranspose2d: row([2, 2, [3, 2], { stride: [2, 1], padding: 1, outputPadding: [1, 0] }], [1, 2, 3, 3]),
  ConvTranspose3d: row([2, 2, 2, { stride: [2, 1, 1], dilation: [1, 2, 1] }], [1, 2, 2, 2, 2]),
  Dropout: row([0.5], [4, 3]),
  Dropout1d: row([0.5], [2, 3, 2]),
  Dropout2d: row([0.5], [2, 3, 2, 2]),
  ELU: row([0.7], [2, 1, 4]),
  Embedding: row([4, 3], { indices: [1, 3, 1] }),
  Flatten: row([], [2, 3, 2]),
  GELU: activation,
  'GELU, by tanh': row([{ approximate: 'tanh' }], [2, 1, 4]),
  GLU: row([1], [2, 4]),
  GRU: recurrent,
  GRUCell: row([2, 3], [2, 2], [2, 3]),
  'GRU, one layer and step': row([2, 3], [1, 2, 2], [1, 2, 3]),
  GroupNorm: row([2, 4], [2, 4, 3]),
  Hardshrink: activation,
  Hardsigmoid: activation,
  Hardswish: activation,
  Hardtanh: activation,
  Identity: activation,
  InstanceNorm1d: row([3, { affine: true }], [2, 3, 4]),
  InstanceNorm2d: row([2, { affine: true }], [2, 2, 2, 3]),
  LSTM: row([2, 2, { bidirectional: true }], [2, 2, 2], [2, 2, 2], [2, 2, 2]),
  'LSTM, one layer and step': row([2, 3], [1, 2, 2], [1, 2, 3], [1, 2, 3]),
  LSTMCell: row([2, 3], [2, 2], [2, 3], [2, 3]),
  LayerNorm: row([[2, 3]], [2, 2, 3]),
  LeakyReLU: row([0.2], [2, 1, 4]),
  Linear: row([3, 2], [2, 3]),
  LogSigmoid: activation,
  LogSoftmax: row([1], [2, 4]),
  MaxPool1d: row([2, { stride: 1 }], [1, 2, 5]),
  MaxPool2d: row([2, { padding: 1 }], [1, 2, 4, 5]),
  MeanOnlyBatchNorm1d: row([3], [4, 3]),
  MeanOnlyBatchNorm2d: row([2], [2, 2, 2, 3]),
  Mish: activation,
  MultiheadAttention: row([4, 2, { addBiasKv: true }], [2, 1, 4], [3, 1, 4], [3, 1, 4]),
  PReLU: row([3], [2, 3, 2]),
  'PReLU, one slope': row([], [2, 3]),
  RNN: recurrent,
  'RNN, ReLU, one layer': row([2, 3, { nonlinearity: 'relu' }], [2, 2, 2], [1, 2, 3]),
  RNNCell: row([2, 3], [2, 2], [2, 3]),
  ReLU: activation,
  ReLU6: activation,
  ReflectionPad1d: row([2], [1, 2, 3]),
  ReflectionPad2d: row([[1, 2, 0, 2]], [1, 2, 3, 3]),
  ReplicationPad1d: row([2], [1, 2, 3]),
  ReplicationPad2d: row([[1, 2, 0, 2]], [1, 2, 3, 3]),
  SELU: activation,
  Sequential: row([new SiLU(), new Softmax(1)], [2, 3]),
  SiLU: activation,
  Sigmoid: activation,
  Softmax: row([1], [2, 4]),
  Softplus: row([2], [2, 1, 4]),
  'Softplus, with a threshold': row([2, 1], [2, 1, 4]),
  Softshrink: activation,
  Softsign: activation,
  Tanh: activation,
  Tanhshrink: activation,
  Threshold: row([0.1, 20], [2, 1, 4]),
  TransformerEncoderLayer: row(
    [4, 2, { dimFeedforward: 3, activation: 'gelu', dropout: 0.2, batchFirst: true }],
    [1, 3, 4],
  ),
  Unflatten: row([1, [2, 3]], [2, 6]),
  Upsample: row([{ scaleFactor: [1.5, 2], mode: 'bilinear' }], [1, 2, 3, 3]),
  'Upsample, nearest': row([{ scaleFactor: [1.5, 2] }], [1, 2, 3, 3]),
  ZeroPad1d: row([2], [1, 2, 3]),
  ZeroPad2d: row([[1, 0, -1, 2]], [1, 2, 3, 3]),
};

/** Factors that bring inputs to both sides of a layer's kinks, or so far apart that a difference steps over none. */
const scales: Readonly<Record<string, number>> = {
  Hardsigmoid: 4,
  Hardswish: 4,
  Hardtanh: 1.5,
  MaxPool1d: 3,
  MaxPool2d: 3,
  ReLU6: 6,
};

const classOf = (row: string): string => row.split(',')[0]!;

describe('Gradients of first and second order agree with central differences', () => {
  it.each(Object.entries(rows))('%s', (name, { args, inputs }) => {
    const layer = new (layerClasses.get(classOf(name))!)(...args);
    // Nothing at its neutral value: a scale of 1 or a bias of 0 would hide that it is missing somewhere.
    for (const parameter of layer.parameters()) {
      const value = example(parameter.shape, 0.6);
      parameter.assign(value);
      value.dispose();
    }
    const variables = inputs.map((input) =>
      'indices' in input
        ? tf.tidy(() => tf.variable(tf.tensor1d([...input.indices], 'int32')))
        : example([...input], scales[name]),
    );
    const forward = (): tf.Tensor => {
      // The same mask in every call.
      manualSeed(1);
      return tf.concat(callLayer(layer, variables).map((y) => tf.reshape(y, [y.size])));
    };
    const floats = variables.filter(({ dtype }) => dtype === 'float32');
    expectGradients(forward, [...floats, ...layer.parameters()]);
    tf.dispose(variables);
    layer.dispose();
  });

  it('for every layer of the package, and for nothing else', () => {
    const checked = new Set([...Object.keys(rows).map(classOf), ...withoutForward]);
    expect([...checked].sort()).toEqual([...layerClasses.keys()].sort());
  });
});
