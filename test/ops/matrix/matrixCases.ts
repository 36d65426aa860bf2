import * as tf from '@tensorflow/tfjs-core';
import { hostValues } from '../../../src/engine/hostValues.ts';
import { orthogonalized, rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { flatten } from '../../toBeAllClose.ts';

/** Fixed matrices of both signs: [b, n, k], all numbers within `scale`. */
export const matrices = (shape: number[], scale = 1, seed = 1): tf.Tensor =>
  tf.tensor(
    Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => scale * Math.sin(seed + 2.7 * i + i * i)),
    shape,
  );

/** The largest entry of `|QᵀQ − I|` of a batch; NaN if there is one. */
export function orthogonalityError(Q: tf.Tensor): number {
  const difference = tf.tidy(() => flatten(tf.sub(tf.matMul(Q, Q, true, false), tf.eye(Q.shape.at(-1)!))));
  return difference.reduce((most, x) => (Number.isNaN(x) ? x : Math.max(most, Math.abs(x))), 0);
}

/** Both ways of an algorithm that looks at numbers; the second is the first where the backend knows none. */
export const readers = [
  ['numbers unknown', () => null],
  ['numbers known', hostValues],
] as const;

/** A matrix of float32 whose singular values fall evenly in their logarithms from 1 to 1/condition: [1, n, k]. */
export function withCondition(n: number, k: number, condition: number): tf.Tensor {
  const values = Array.from({ length: k }, (_, i) => condition ** -(k === 1 ? 0 : i / (k - 1)));
  return tf.tidy(() => {
    const left = tf.tensor2d(orthogonalized(rowsOf(flatten(matrices([n, k])), k)));
    const right = tf.tensor2d(orthogonalized(rowsOf(flatten(matrices([k, k], 1, 7)), k)));
    return tf.expandDims(tf.matMul(tf.mul(left, tf.tensor1d(values)), right, false, true), 0);
  });
}

/** A symmetric matrix whose eigenvalues are a function of numbers that rise evenly from 0 to 1: [1, n, n]. */
export function withEigenvalues(n: number, eigenvalue: (x: number) => number): tf.Tensor {
  const values = Array.from({ length: n }, (_, i) => eigenvalue(n === 1 ? 1 : i / (n - 1)));
  const Q = orthogonalized(rowsOf(flattened(matrices([n, n])), n));
  const rows = Q.map((row, i) =>
    Q.map((other, j) => (j > i ? 0 : row.reduce((sum, x, k) => sum + x * values[k]! * other[k]!, 0))),
  );
  return tf.tensor3d([rows.map((row, i) => row.map((_, j) => rows[Math.max(i, j)]![Math.min(i, j)]!))]);
}

/** The numbers of a tensor, which is disposed. */
function flattened(x: tf.Tensor): number[] {
  const numbers = flatten(x);
  x.dispose();
  return numbers;
}
