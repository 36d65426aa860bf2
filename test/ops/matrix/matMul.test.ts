import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { constantMatMul, matMul, matMulNT, matMulTN } from '../../../src/ops/matrix/matMul.ts';
import { transpose } from '../../../src/ops/matrix/transpose.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';

const shapes: [number, number, number][] = [
  [1, 1, 1],
  [1, 3, 2],
  [4, 1, 3],
  [3, 5, 2],
];

describe.each<[string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, boolean]>([
  ['matMul', matMul, false],
  ['matMulNT', matMulNT, true],
  ['matMulNT, given the transposed', (a, b) => matMulNT(a, b, transpose(b)), true],
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

describe.each<[string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, boolean, boolean]>([
  ['matMul', matMul, false, false],
  ['matMulNT', matMulNT, false, true],
  ['matMulTN', matMulTN, true, false],
])('%s of batches', (_name, multiply, transposeA, transposeB) => {
  it('is the product of each pair, and can be differentiated twice', () => {
    const a = example(transposeA ? [2, 4, 3] : [2, 3, 4]);
    const b = example(transposeB ? [2, 2, 4] : [2, 4, 2]);
    tf.tidy(() => {
      expect(multiply(a, b)).toBeAllClose(tf.matMul(a as tf.Tensor, b as tf.Tensor, transposeA, transposeB));
    });
    expectGradients(() => tf.tidy(() => multiply(a, b)), [a, b]);
    tf.dispose([a, b]);
  });
});

describe('constantMatMul', () => {
  it('is the product, with a gradient to the second factor only', () => {
    const [a, b] = [example([2, 3, 4]), example([2, 4, 2])];
    tf.tidy(() => {
      expect(constantMatMul(a, b)).toBeAllClose(tf.matMul(a as tf.Tensor, b as tf.Tensor));
      const { grads } = tf.variableGrads(() => tf.sum(constantMatMul(a, b)), [b]);
      expect(Object.keys(grads)).toEqual([b.name]);
      expect(() => tf.variableGrads(() => tf.sum(constantMatMul(a, b)), [a])).toThrow();
    });
    expectGradients(() => tf.tidy(() => constantMatMul(a, b)), [b]);
    tf.dispose([a, b]);
  });
});

it('is right for a vector as a second factor, then as a transposed one', () => {
  const [row, column] = [example([1, 3]), example([1, 1])];
  const vector = example([3, 1]);
  tf.tidy(() => {
    expect(matMul(row, vector)).toBeAllClose(tf.matMul(row as tf.Tensor, vector as tf.Tensor));
    const wanted = tf.mul(column as tf.Tensor, tf.transpose(vector as tf.Tensor));
    expect(matMulNT(column, vector)).toBeAllClose(wanted);
  });
  tf.dispose([row, column, vector]);
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
    tf.tidy(() => void tf.grads((a, b) => matMulNT(a!, b!))([a, b]));
  } finally {
    tf.unregisterKernel('BatchMatMul', tf.getBackend());
    tf.registerKernel(kernel);
  }
  expect(attributes).toHaveLength(3);
  expect(attributes.some(Boolean)).toBe(tf.getBackend() !== 'wasm');
  tf.dispose([a, b]);
});

it('multiplies large matrices of a batch one by one on wasm, to the same products', async () => {
  const [a, b] = [example([3, 64, 70]), example([3, 70, 64])];
  const { kernels } = await tf.profile(() => tf.tidy(() => void matMul(a, b)));
  const products = kernels.filter(({ name }) => name === 'BatchMatMul').length;
  expect(products).toBe(tf.getBackend() === 'wasm' ? 3 : 1);
  tf.tidy(() => {
    expect(matMul(a, b)).toBeAllClose(tf.matMul(a as tf.Tensor, b as tf.Tensor), { absolute: 1e-4 });
  });
  tf.dispose([a, b]);
});
