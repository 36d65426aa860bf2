import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { differentiableInverse } from './inverseGradient.ts';
import { plainMatMul } from './matMul.ts';
import { newtonInverse } from './newtonInverse.ts';

/** The largest size of a matrix that is inverted as a whole. */
const SMALL = 64;

/**
 * Inverts matrices whose symmetric part is at least the identity: `xᵀMx ≥ xᵀx`, such as I − K for a skew K.
 *
 * Works by blocks with Schur complements, which are such matrices again, so no pivoting is needed. Small blocks are
 * inverted by elimination if their numbers can be read, otherwise by Newton's iteration `X ← X(2I − MX)`. The iteration
 * consists of matrix products; elimination row by row would take a hundred times as many operations.
 *
 * @remarks
 * **Shape**: M, M⁻¹: [b, n, n].
 * **Gradient**: of any order.
 */
export const inverse = (M: Tensor, read: SyncReader = hostValues): Tensor =>
  differentiableInverse((M) => invert(M, read))(M);

function invert(M: Tensor, read: SyncReader): Tensor {
  const [b, n] = M.shape as [number, number, number];
  if (n <= SMALL) {
    const numbers = read(M);
    return numbers === null ? newtonInverse(M) : tf.tensor(eliminate(numbers, b, n), M.shape);
  }
  const h = Math.ceil(n / 2);
  const [P, Q, R, S] = [
    tf.slice(M, [0, 0, 0], [b, h, h]),
    tf.slice(M, [0, 0, h], [b, h, n - h]),
    tf.slice(M, [0, h, 0], [b, n - h, h]),
    tf.slice(M, [0, h, h], [b, n - h, n - h]),
  ];
  const inverseOfP = invert(P, read);
  const left = plainMatMul(R, inverseOfP);
  const bottomRight = invert(tf.sub(S, plainMatMul(left, Q)), read);
  const topRight = tf.neg(plainMatMul(plainMatMul(inverseOfP, Q), bottomRight));
  const bottomLeft = tf.neg(plainMatMul(bottomRight, left));
  const topLeft = tf.sub(inverseOfP, plainMatMul(topRight, left));
  return tf.concat([tf.concat([topLeft, topRight], 2), tf.concat([bottomLeft, bottomRight], 2)], 1);
}

/** Inverts by Gauss-Jordan elimination, in float64 and in place. */
function eliminate(numbers: ArrayLike<number>, b: number, n: number): Float32Array {
  const all = Float64Array.from(numbers);
  for (let i = 0; i < b; i++) {
    const M = all.subarray(i * n * n, (i + 1) * n * n);
    for (let k = 0; k < n; k++) {
      const pivotRow = M.subarray(k * n, (k + 1) * n);
      const pivot = pivotRow[k]!;
      pivotRow[k] = 1;
      for (let j = 0; j < n; j++) pivotRow[j]! /= pivot;
      for (let row = 0; row < n; row++) {
        if (row !== k) eliminateRow(M.subarray(row * n, (row + 1) * n), pivotRow, k);
      }
    }
  }
  return Float32Array.from(all);
}

function eliminateRow(row: Float64Array, pivotRow: Float64Array, k: number): void {
  const factor = row[k]!;
  row[k] = 0;
  for (let j = 0; j < row.length; j++) row[j]! -= factor * pivotRow[j]!;
}
