import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { scaleAlong } from '../norm/norm.ts';
import { diagonalOf } from './diagonal.ts';

/** A pivot below this part of the size of the matrix is rounding. */
const NEGLIGIBLE = 3e-7;

/**
 * Factors positive semidefinite matrices of any rank: `FFᵀ = A`, to rounding, if the rank is at most r. Otherwise FFᵀ
 * is near the nearest matrix of rank r; the difference is up to 1.4 times the smallest for slowly falling eigenvalues,
 * and was 2.6 times that for eigenvalues that fall by 0.6.
 *
 * Each step subtracts `ccᵀ` with the column c of the largest number on the diagonal, divided by the root of that
 * number. Columns of F are zero when nothing but rounding is left.
 *
 * @remarks
 * **Shape**: A: [b, n, n]; F: [b, n, r].
 * **Accuracy**: `|FFᵀ − A|` ≤ 6e-7 of the largest number for n ≤ 256, if the rank is at most r.
 * **Cost**: r products of a column and a row; in float64 if the numbers can be read.
 * **Gradient**: none.
 *
 * @param size - the size that a pivot is compared with, [b, 1, 1]. Default: the largest number of A. Another one is
 * needed if A is the small rest of a larger matrix, and may be nothing but its rounding
 *
 * @see Harbrecht, Peters and Schneider 2012, doi:10.1016/j.apnum.2011.10.001
 */
export const pivotedCholesky = (
  A: Tensor,
  r: number,
  size: Tensor = scaleAlong(A, [1, 2]),
  read: SyncReader = hostValues,
): Tensor =>
  tf.tidy(() => {
    const scale = scaleAlong(A, [1, 2]);
    const unit = tf.div(A, scale);
    const limit = tf.mul(NEGLIGIBLE, tf.div(size, scale));
    const [numbers, limits] = [read(unit), read(limit)];
    const F =
      numbers === null || limits === null
        ? factor(unit, r, limit)
        : tf.tensor(factorNumbers(numbers, unit.shape, r, limits), [unit.shape[0]!, unit.shape[1]!, r]);
    return tf.mul(F, tf.sqrt(scale));
  });

/** Computes F in float64. */
function factorNumbers(
  A: ArrayLike<number>,
  [b, n]: readonly number[],
  r: number,
  limits: ArrayLike<number>,
): Float32Array {
  const all = new Float64Array(b! * n! * r);
  for (let matrix = 0; matrix < b!; matrix++) {
    const at = (i: number, j: number): number => A[(matrix * n! + i) * n! + j]!;
    const F = all.subarray(matrix * n! * r, (matrix + 1) * n! * r);
    const diagonal = Float64Array.from({ length: n! }, (_, i) => at(i, i));
    for (let column = 0; column < r; column++) {
      const pivot = diagonal.reduce((best, x, i) => (x > diagonal[best]! ? i : best), 0);
      const largest = diagonal[pivot]!;
      if (largest <= limits[matrix]!) break;
      for (let i = 0; i < n!; i++) {
        let sum = at(i, pivot);
        for (let k = 0; k < column; k++) sum -= F[i * r + k]! * F[pivot * r + k]!;
        F[i * r + column] = sum / Math.sqrt(largest);
      }
      for (let i = 0; i < n!; i++) diagonal[i]! -= F[i * r + column]! ** 2;
      diagonal[pivot] = 0;
    }
  }
  return Float32Array.from(all);
}

/** Computes F by operations on columns. */
function factor(A: Tensor, r: number, limit: Tensor): Tensor {
  const [b, n] = A.shape as [number, number, number];
  const columns: Tensor[] = [];
  let rest = A;
  for (let step = 0; step < r; step++) {
    const last = rest;
    const [column, next] = tf.tidy(() => {
      const diagonal = diagonalOf(last);
      // tf.oneHot refuses a depth of 1.
      const pivot = tf.reshape(tf.argMax(diagonal, 1), [b, 1]);
      const isPivot = tf.cast(tf.equal(pivot, tf.range(0, n, 1, 'int32')), 'float32');
      const largest = tf.reshape(tf.max(diagonal, 1), [b, 1, 1]);
      const isLeft = tf.step(tf.sub(largest, limit));
      const divisor = tf.sqrt(tf.add(tf.mul(largest, isLeft), tf.sub(1, isLeft)));
      const ofPivot = tf.sum(tf.mul(last, tf.reshape(isPivot, [b, 1, n])), 2, true);
      const column = tf.mul(tf.div(ofPivot, divisor), isLeft);
      return [column, tf.sub(last, tf.mul(column, tf.reshape(column, [b, 1, n])))];
    }) as [Tensor, Tensor];
    if (last !== A) last.dispose();
    rest = next;
    columns.push(column);
  }
  return tf.concat(columns, 2);
}
