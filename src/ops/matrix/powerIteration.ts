import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { norm } from '../norm/norm.ts';

/** Returns a tensor as the matrix whose rows are its slices along one axis: `[shape[dim], rest]`. */
export function asMatrix(x: Tensor, dim: number): Tensor {
  const rows = x.shape[dim]!;
  if (dim === 0) return tf.reshape(x, [rows, -1]);
  const others = x.shape.map((_, axis) => axis).filter((axis) => axis !== dim);
  return tf.reshape(tf.transpose(x, [dim, ...others]), [rows, -1]);
}

/** A pair of singular vectors: `left` has the length of a column of the matrix, `right` the length of a row. */
export interface SingularVectors {
  readonly left: Tensor;
  readonly right: Tensor;
}

/**
 * Computes one step of the power iteration towards the largest singular value: `u = Mv/‖Mv‖`.
 *
 * **Shape**: `matrix`: [m, n]; `right`: [n]; `left` and result: [m].
 *
 * @param left - the result if `‖Mv‖` is at most `eps` or not finite. So a zero matrix does not make a vector zero, and
 * an infinite matrix does not make it NaN, which no later step could correct
 */
const leftVector = (matrix: Tensor, { left, right }: SingularVectors, eps: number): Tensor =>
  unitOr(left, matVec(matrix, right, false), eps);

/** Computes the step for the other vector: `v = Mᵀu/‖Mᵀu‖`. */
const rightVector = (matrix: Tensor, { left, right }: SingularVectors, eps: number): Tensor =>
  unitOr(right, matVec(matrix, left, true), eps);

/**
 * Runs the power iteration, which computes one vector from the other in turns.
 *
 * **Shape**: `matrix`: [m, n]; vectors: [m] and [n].
 *
 * @param first - the vector that is computed first in each iteration
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

/** The direction of a vector, or the fallback if the vector is too short or not finite. */
function unitOr(fallback: Tensor, vector: Tensor, eps: number): Tensor {
  const length = norm(vector, [0]);
  const hasDirection = tf.logicalAnd(tf.greater(length, eps), tf.less(length, Number.POSITIVE_INFINITY));
  return tf.where(hasDirection, tf.div(vector, length), fallback);
}
