import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { repeat } from '../repeat.ts';
import { plainMatMul } from './matMul.ts';
import { sizeOf } from './newtonSchulz.ts';
import { transpose } from './transpose.ts';

/**
 * The number of steps that raise the eigenvalues of `M·X` from above 1e-10 to above 0.05. Each step multiplies them by
 * 3.8.
 */
const APPROACH = 16;

/** The number of Newton steps that follow. */
const FINISH = 6;

/**
 * Inverts matrices by Newton's iteration from a multiple of Mᵀ, for which the eigenvalues of `M·X` are above 0 and at
 * most 1. It consists of matrix products.
 *
 * Note [Approach]: a Newton step maps an eigenvalue y to `y(2 − y)`, which only doubles a small y. `c·y(1.05 − y)`,
 * with the largest c that keeps the result below 1, maps a small y to 3.8y, and keeps an eigenvalue above 0.05 above
 * 0.05.
 *
 * @remarks
 * **Shape**: M, M⁻¹: [b, n, n].
 * **Domain**: a condition number up to 1e5. The result is finite for every M.
 * **Cost**: 44 products; a few matrices of the size of M at once.
 * **Gradient**: none.
 */
export const newtonInverse = (M: Tensor): Tensor =>
  tf.tidy(() => {
    const { scale, bound } = sizeOf(M);
    const unit = tf.div(tf.div(M, scale), bound);
    const identity = tf.eye(M.shape[2]!);
    const step =
      (factor: number, shift: number) =>
      (X: Tensor): [Tensor] => [
        tf.mul(plainMatMul(X, tf.sub(tf.mul(identity, shift), plainMatMul(unit, X))), factor),
      ];
    const [raised] = repeat(APPROACH, [transpose(unit)], step(4 / 1.05 ** 2, 1.05));
    const [X] = repeat(FINISH, [raised], step(1, 2));
    return tf.div(tf.div(X, bound), scale);
  });
