import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { isZero, scaleAlong } from '../norm/norm.ts';
import { plainMatMul } from './matMul.ts';
import { newtonSchulz, plainStep, raise } from './newtonSchulz.ts';
import { symmetricPart } from './symmetricPart.ts';

/** The number of steps that raise the singular values of the completion from above 1e-5. */
const APPROACH = 10;

/** The seed of the completion. */
const SEED = 1;

/**
 * Computes the factor Q of the polar decomposition `A = QH`: the nearest matrix with orthonormal columns.
 *
 * `Q = UVᵀ` for `A = UΣVᵀ`
 *
 * If A does not have full rank, there are many nearest matrices, and the result is one of them, the same at each call.
 * Iteration leaves the singular values of zero anywhere from 0 to 1. Then `(I − XXᵀ)Z(I − XᵀX)` with fixed numbers Z
 * changes only the directions that are left over, and iteration goes on. If the numbers can be read, this second part
 * is left out for matrices that do not need it.
 *
 * @remarks
 * **Shape**: A, Q: [b, n, k], n ≥ k.
 * **Accuracy**: `|QᵀQ − I|` ≤ 1e-6 for every A. The distance to the nearest matrix is the rounding of A times its
 * condition number: 1e-7 (κ = 1), 1e-6 (1e2), 2e-5 (1e4). Singular values below 1e-6 of the largest one count as zero.
 * **Cost**: 84 products; for numbers that can be read, 6 for an orthogonal A, 31 for a condition number of 1e3, 80 if
 * the rank is not full; a few matrices of the size of A at once.
 * **Gradient**: none; `polarMap` has one.
 *
 * @see Björck and Bowie 1971, doi:10.1137/0708036. Higham 2008, Functions of Matrices, chapter 8
 */
export const polar = (A: Tensor, read: SyncReader = hostValues): Tensor =>
  tf.tidy(() => {
    const { X, isComplete } = newtonSchulz(A, read);
    return plainStep(refined(A, isComplete ? X : completed(X, read)));
  });

/**
 * Removes rounding errors from the directions in which A is large: `Q + (A − QH)/‖H‖∞` with the symmetric part H of
 * `QᵀA`. An error in the directions of the singular values σ and τ of A is multiplied by `1 − (σ + τ)/(2‖H‖∞)`. The
 * steps before lose a digit, as they subtract numbers that are nearly the same.
 */
const refined = (A: Tensor, Q: Tensor): Tensor =>
  tf.tidy(() => {
    const unit = tf.div(A, scaleAlong(A, [1, 2]));
    const H = symmetricPart(plainMatMul(Q, unit, true));
    const size = tf.max(tf.sum(tf.abs(H), 2, true), 1, true);
    return tf.add(Q, tf.div(tf.sub(unit, plainMatMul(Q, H)), tf.add(size, isZero(size))));
  });

/** Replaces the singular values of a matrix that has no others than 1 and lower ones by 1. */
const completed = (X: Tensor, read: SyncReader): Tensor =>
  tf.tidy(() => {
    const [, n, k] = X.shape as [number, number, number];
    const start = tf.tidy(() => {
      // Its largest singular value is about 0.4, so no sum with X is much above 1.
      const Z = tf.randomNormal(X.shape, 0, 0.4 / (Math.sqrt(n) + Math.sqrt(k)), 'float32', SEED);
      const left = tf.sub(Z, plainMatMul(X, plainMatMul(X, Z, true)));
      const both = tf.sub(left, plainMatMul(left, plainMatMul(X, X, true)));
      return tf.add(X, both);
    });
    return raise(start, APPROACH, read).X;
  });
