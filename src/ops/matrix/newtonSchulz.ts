import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isZero, scaleAlong } from '../norm/norm.ts';
import { repeat } from '../repeat.ts';
import { plainMatMul } from './matMul.ts';

/** The number of steps that raise singular values from above 1e-7 to above 0.12. Each step multiplies them by 2.53. */
const APPROACH = 16;

/** The number of plain steps that follow. */
const FINISH = 9;

/**
 * Replaces the singular values of matrices by 1: `UΣVᵀ` becomes `UVᵀ`, by products of matrices alone. Singular values
 * below 1e-6 of the largest one become numbers from 0 to 1; `polar` goes on from there.
 *
 * @remarks
 * **Shape**: A, result: [b, n, k], n ≥ k.
 * **Gradient**: none.
 * **Cost**: 50 products; a few matrices of the size of A at once.
 */
export const newtonSchulz = (A: Tensor): Tensor =>
  tf.tidy(() => {
    const { scale, bound } = sizeOf(A);
    return raise(tf.div(tf.div(A, scale), bound), APPROACH);
  });

/**
 * Raises the singular values of matrices, at most 1, to 1.
 *
 * The plain step `X(3I − XᵀX)/2` maps a singular value x to `x(3 − x²)/2`, which is only 1.5x if x is small. The steps
 * before it map x to `c·x(1.05 − x²)`, with the largest c that keeps the result below 1: a small x to 2.53x, and no x
 * above 0.12 to one below; `newtonInverse` has steps of the same kind.
 *
 * @param approach - the number of steps before the plain ones
 */
export const raise = (X: Tensor, approach: number): Tensor => {
  const [raised] = repeat(approach, [X], (X) => [newtonStep(X, FACTOR * 1.05, FACTOR)]);
  const [finished] = repeat(FINISH, [raised], (X) => [newtonStep(X, 1.5, 0.5)]);
  if (raised !== X) raised.dispose();
  return finished;
};

const FACTOR = (1.5 * Math.sqrt(3)) / 1.05 ** 1.5;

/** `X(p·I − q·XᵀX)` */
export function newtonStep(X: Tensor, p: number, q: number): Tensor {
  const gram = plainMatMul(X, X, true);
  return tf.sub(tf.mul(X, p), plainMatMul(X, tf.mul(gram, q)));
}

/** A bound of the largest singular value of matrices, `scale · bound`. Neither factor is zero. */
export interface Size {
  /** The largest magnitude, or 1 for zeros: [b, 1, 1]. */
  readonly scale: Tensor;
  /** `min(‖X‖_F, √(‖X‖₁‖X‖∞))` of `X = A/scale`, or 1 for zeros: [b, 1, 1]. */
  readonly bound: Tensor;
}

/** Bounds the largest singular value of matrices, [b, n, k], in two factors, as their product may overflow. */
export function sizeOf(A: Tensor): Size {
  const scale = scaleAlong(A, [1, 2]);
  const bound = tf.tidy(() => {
    const size = tf.abs(tf.div(A, scale));
    const frobenius = tf.sqrt(tf.sum(tf.square(size), [1, 2], true));
    const columns = tf.max(tf.sum(size, 1, true), 2, true);
    const rows = tf.max(tf.sum(size, 2, true), 1, true);
    const bound = tf.minimum(frobenius, tf.sqrt(tf.mul(columns, rows)));
    return tf.add(bound, isZero(bound));
  });
  return { scale, bound };
}
