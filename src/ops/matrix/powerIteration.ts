import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { norm } from '../norm/norm.ts';

/** A tensor as the matrix whose rows are its slices along one axis: `[shape[dim], rest]`. */
export function asMatrix(x: Tensor, dim: number): Tensor {
  const rows = x.shape[dim]!;
  if (dim === 0) return tf.reshape(x, [rows, -1]);
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== dim);
  return tf.reshape(tf.transpose(x, [dim, ...others]), [rows, -1]);
}

/** A pair of singular vectors: `left` has the length of a column of the matrix, `right` that of a row. */
export interface SingularVectors {
  readonly left: Tensor;
  readonly right: Tensor;
}

/**
 * One step of the power iteration towards the largest singular value: `u = Mv/‖Mv‖`.
 *
 * **Shape**: `matrix`: [m, n]; `right`: [n]; `left` and result: [m].
 *
 * @param left - the result where `‖Mv‖` is at most `eps` or not finite. So a zero matrix makes no vector zero and an
 * infinite one makes none NaN, which no later step could correct
 */
const leftVector = (matrix: Tensor, { left, right }: SingularVectors, eps: number): Tensor =>
  unitOr(left, matVec(matrix, right, false), eps);

/** The same for the other side: `v = Mᵀu/‖Mᵀu‖`. */
const rightVector = (matrix: Tensor, { left, right }: SingularVectors, eps: number): Tensor =>
  unitOr(right, matVec(matrix, left, true), eps);

/**
 * The power iteration: one vector from the other, then that one from the new one, and so on.
 *
 * **Shape**: `matrix`: [m, n]; vectors: [m] and [n].
 *
 * @param first - which of the two is computed first in each iteration
 */
export function powerIteration(
  matrix: Tensor,
  start: SingularVectors,
  iterations: number,
  eps: number,
  first: keyof SingularVectors = 'left',
): SingularVectors {
  let { left, right } = start;
  if (first === 'right') right = rightVector(matrix, { left, right }, eps);
  for (let i = 1; i <= iterations; i++) {
    left = leftVector(matrix, { left, right }, eps);
    if (first === 'left' || i < iterations) right = rightVector(matrix, { left, right }, eps);
  }
  return { left, right };
}

/** `Mx`, or `Mᵀx`, as a vector. */
export function matVec(matrix: Tensor, vector: Tensor, transposed: boolean): Tensor {
  const product = tf.matMul(matrix, tf.reshape(vector, [-1, 1]), transposed);
  return tf.reshape(product, [-1]);
}

/** The direction of a vector; the fallback where it is too short, or not finite, to have one. */
function unitOr(fallback: Tensor, vector: Tensor, eps: number): Tensor {
  const length = norm(vector, [0]);
  const hasDirection = tf.logicalAnd(tf.greater(length, eps), tf.less(length, Number.POSITIVE_INFINITY));
  return tf.where(hasDirection, tf.div(vector, length), fallback);
}
