import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { callLayer, layerClasses } from './layerGolden.ts';
import { classOf, layerRows, type RowInput } from './layerRows.ts';

// The gradient of a parameter for an empty batch is a sum of nothing. The wasm backend leaves the result of such a sum
// unset, so it has the numbers that the memory held before.

/** These refuse an empty batch. */
const needsBatch = /^(InstanceNorm|MeanOnlyBatchNorm|MultiheadAttention|TransformerEncoderLayer)/;

/** These have the batch in axis 1. */
const sequenceFirst = /^(GRU|LSTM|RNN)$/;

/** Leaves other numbers than zero in the memory that the backend gives to the next tensors of these shapes. */
function spoilMemory(shapes: readonly (readonly number[])[]): void {
  for (const shape of shapes) {
    const tensors = Array.from({ length: 20 }, () => tf.fill([...shape], 7));
    for (const tensor of tensors) tensor.dataSync();
    tf.dispose(tensors);
  }
}

function emptyInput(name: string, input: RowInput): tf.Tensor {
  if ('indices' in input) return tf.tensor1d([], 'int32');
  const batchAxis = sequenceFirst.test(name) ? 1 : 0;
  return tf.zeros(input.map((length, axis) => (axis === batchAxis ? 0 : length)));
}

describe('A parameter has a gradient of zeros for an empty batch', () => {
  const withParameters = Object.entries(layerRows).filter(
    ([name]) => !needsBatch.test(classOf(name)) && !/Pad|Pool|Unflatten/.test(name),
  );

  it.each(withParameters)('of %s', (name, { args, inputs }) => {
    const layer = new (layerClasses.get(classOf(name))!)(...args).eval();
    const parameters = layer.parameters();
    tf.tidy(() => {
      const empty = inputs.map((input) => emptyInput(classOf(name), input));
      for (let i = 0; i < 3; i++) {
        spoilMemory([...parameters.map(({ shape }) => shape), ...parameters.map(({ size }) => [size])]);
        const sum = () =>
          tf.sum(tf.concat(callLayer(layer, empty).map((y) => tf.reshape(y, [y.size])))) as tf.Scalar;
        if (parameters.length === 0) {
          expect(callLayer(layer, empty)[0]!.size).toBe(0);
          continue;
        }
        const { grads } = tf.variableGrads(sum, parameters);
        for (const parameter of parameters) {
          expect(grads[parameter.name]!).toBeAllClose(tf.zeros(parameter.shape), {
            absolute: 0,
            relative: 0,
          });
        }
      }
    });
    layer.dispose();
  });
});
