import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { times, timesTransposed, transposed } from '../../src/linalg/product.ts';
import { example, expectGradients } from '../nn/gradientCheck.ts';

const shapes: [number, number, number][] = [
  [1, 1, 1],
  [1, 3, 2],
  [4, 1, 3],
  [3, 5, 2],
];

describe.each<[string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, boolean]>([
  ['times', times, false],
  ['timesTransposed', timesTransposed, true],
  ['timesTransposed, given the transposed', (a, b) => timesTransposed(a, b, transposed(b)), true],
])('%s', (_name, multiply, isTransposed) => {
  it.each(shapes)('is the product that tfjs computes: %i × %i × %i', (n, k, m) => {
    const [a, b] = [example([n, k]), example(isTransposed ? [m, k] : [k, m])];
    tf.tidy(() => {
      expect(multiply(a, b)).toBeAllClose(tf.matMul(a as tf.Tensor, b as tf.Tensor, false, isTransposed));
    });
    tf.dispose([a, b]);
  });

  it('can be differentiated twice', () => {
    const [a, b] = [example([2, 3]), example(isTransposed ? [2, 3] : [3, 2])];
    expectGradients(() => tf.tidy(() => multiply(a, b)), [a, b]);
    tf.dispose([a, b]);
  });
});

it('needs no product with a transposed factor on wasm, forward or backward', async () => {
  const [a, b] = [example([3, 5]), example([2, 5])];
  const attributes: unknown[] = [];
  const kernel = tf.getKernel('BatchMatMul', tf.getBackend());
  const spied: tf.KernelConfig = {
    ...kernel,
    kernelFunc: (call) => {
      attributes.push(call.attrs!['transposeA'] || call.attrs!['transposeB']);
      return kernel.kernelFunc(call);
    },
  };
  tf.unregisterKernel('BatchMatMul', tf.getBackend());
  tf.registerKernel(spied);
  try {
    tf.tidy(() => void tf.grads((a, b) => timesTransposed(a!, b!))([a, b]));
  } finally {
    tf.unregisterKernel('BatchMatMul', tf.getBackend());
    tf.registerKernel(kernel);
  }
  expect(attributes).toHaveLength(3);
  expect(attributes.some(Boolean)).toBe(tf.getBackend() !== 'wasm');
  tf.dispose([a, b]);
});
