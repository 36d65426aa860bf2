import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { polar } from '../../../src/ops/matrix/polar.ts';
import { polarMap } from '../../../src/ops/matrix/polarMap.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';
import { type Matrix, rowsOf, transpose } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, withCondition } from './matrixCases.ts';
import { svd } from './svd.ts';

const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, i) => sum + x * b[i]![j]!, 0)));

/**
 * The derivative of `UVᵀ` along D: `U·K·Vᵀ + (I − UUᵀ)·D·V·diag(1/s)·Vᵀ`, `K_ij = (E_ij − E_ji)/(sᵢ + sⱼ)` with
 * `E = UᵀDV`.
 */
function derivative(X: tf.Tensor, D: tf.Tensor): number[][] {
  const k = X.shape[2]!;
  const [x, d] = [rowsOf(flatten(X), k), rowsOf(flatten(D), k)];
  const { U, s, V } = svd(x);
  const right = product(d, V);
  const E = product(transpose(U), right);
  const K = E.map((row, i) => row.map((e, j) => (e - E[j]![i]!) / (s[i]! + s[j]!)));
  const inside = product(U, E);
  const outside = right.map((row, i) => row.map((y, j) => (y - inside[i]![j]!) / s[j]!));
  const [first, second] = [product(U, K), outside];
  return product(
    first.map((row, i) => row.map((y, j) => y + second[i]![j]!)),
    transpose(V),
  );
}

const gradient = (X: tf.Tensor, dy: tf.Tensor): tf.Tensor => tf.grad((x) => polarMap(x))(X, dy);

describe('polarMap', () => {
  it('has the value of polar', () => {
    inTidy(() => {
      const X = matrices([2, 5, 3]);
      expect(polarMap(X)).toBeAllClose(polar(X), { relative: 0, absolute: 0 });
    });
  });

  it.each([
    [[1, 1, 1], [1]],
    [[1, 4, 1], [1]],
    [
      [2, 3, 3],
      [1, 2],
    ],
    [
      [1, 5, 3],
      [1, 2],
    ],
  ])('has the gradients of central differences: shape %j, orders %j', (shape, orders) => {
    // Far from singular, so that differences are accurate.
    const X = example(shape, 0.3);
    const [, n, k] = shape as [number, number, number];
    expectGradients(() => tf.tidy(() => polarMap(tf.add(X, tf.mul(tf.eye(n, k), 1.5)))), [X], orders);
    X.dispose();
  });

  it.each([
    [1, 5e-6],
    [1e2, 1e-5],
    [1e3, 1e-4],
  ])('has the gradient of the singular value decomposition: condition number %d', (condition, tolerance) => {
    inTidy(() => {
      for (const [n, k] of [
        [12, 12],
        [20, 8],
      ] as const) {
        // biome-ignore format: shapes
        const [X, dy] = [withCondition(n, k, condition), matrices([1, n, k], 1, 3)];
        const wanted = derivative(X, dy).flat();
        const largest = Math.max(...wanted.map(Math.abs));
        expect(flatten(gradient(X, dy))).toBeAllClose(wanted, {
          relative: 0,
          absolute: tolerance * largest,
        });
      }
    });
  });

  it('has a gradient where all singular values are equal', () => {
    inTidy(() => {
      // The derivative at I is the skew part.
      const dy = matrices([1, 4, 4]);
      const wanted = tf.mul(tf.sub(dy, tf.transpose(dy, [0, 2, 1])), 0.5);
      expect(gradient(tf.expandDims(tf.eye(4)), dy)).toBeAllClose(wanted);
    });
  });

  it.each([1e-15, 1e15])('has a gradient at the scale %d', (scale) => {
    inTidy(() => {
      const [X, dy] = [withCondition(5, 3, 4), matrices([1, 5, 3], 1, 3)];
      const scaled = tf.mul(gradient(tf.mul(X, scale), dy), scale);
      expect(scaled).toBeAllClose(gradient(X, dy), { absolute: 1e-5 });
    });
  });

  it('has finite gradients at zeros', () => {
    inTidy(() => {
      const numbers = flatten(gradient(tf.zeros([1, 4, 3]), tf.ones([1, 4, 3])));
      expect(numbers.every(Number.isFinite)).toBe(true);
    });
  });
});
