import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { isZero, LARGEST_FLOAT32, norm, scaleAlong } from '../norm/norm.ts';
import { repeat } from '../repeat.ts';
import { generalInverse } from './generalInverse.ts';
import { plainMatMul } from './matMul.ts';
import { symmetricPart } from './symmetricPart.ts';

/** The number of steps. Each doubles the number of terms. */
const STEPS = 10;

/** A solution of a Lyapunov equation. */
export interface LyapunovSolution {
  /** P, symmetric to the last bit. It may have numbers that are not finite if A is not stable. */
  readonly P: Tensor;
  /**
   * `‖AᵀP + PA + C‖_F/‖C‖_F`, [b, 1, 1]; the largest float32 in place of numbers that are not finite. It is below 0.1
   * if A is stable, and near 1 or above if not.
   */
  readonly residual: Tensor;
}

/**
 * Solves the Lyapunov equation `AᵀP + PA = −C` for stable matrices: all eigenvalues of A have negative real parts. For
 * a positive definite C, P is positive definite exactly if A is stable.
 *
 * With `s = ‖A‖_F/√n`, `M = (sI − A)⁻¹` and `E = (sI + A)M`, P is the sum of `2s·(Eᵀ)ʲMᵀCMEʲ` over all j. Each step
 * doubles the number of terms: `P ← P + EᵀPE`, `E ← E²`.
 *
 * @remarks
 * **Shape**: A, C, P: [b, n, n]; C symmetric.
 * **Accuracy**: a residual of 8e-7·‖A‖·‖P‖ for n ≤ 64 and real parts below −0.05 s. Eigenvalues with real parts above
 * −0.002 s count as not stable.
 * **Cost**: 33 products and an inverse; a few matrices of the size of A at once.
 * **Gradient**: none.
 *
 * @see Smith 1968, doi:10.1137/0116017
 */
export const smith = (A: Tensor, C: Tensor, read: SyncReader = hostValues): LyapunovSolution =>
  tf.tidy(() => {
    const n = A.shape[2]!;
    const [sizeOfA, sizeOfC] = [scaleAlong(A, [1, 2]), scaleAlong(C, [1, 2])];
    const [a, c] = [tf.div(A, sizeOfA), tf.div(C, sizeOfC)];
    const root = tf.div(norm(a, [1, 2]), Math.sqrt(n));
    const s = tf.add(root, isZero(root));
    const shift = tf.mul(s, tf.eye(n));
    const M = generalInverse(tf.sub(shift, a), read);
    const between = (X: Tensor, P: Tensor): Tensor => plainMatMul(X, plainMatMul(P, X), true);
    const first = tf.mul(tf.mul(2, s), between(M, c));
    const [sum] = repeat(STEPS, [first, plainMatMul(tf.add(shift, a), M)], (P, E) => [
      tf.add(P, between(E, P)),
      plainMatMul(E, E),
    ]);
    const P = symmetricPart(sum);
    const half = plainMatMul(P, a);
    const difference = tf.add(tf.add(half, plainMatMul(a, P, true)), c);
    const residual = tf.div(norm(difference, [1, 2]), norm(c, [1, 2]));
    return {
      P: tf.mul(tf.div(P, sizeOfA), sizeOfC),
      residual: tf.where(tf.isFinite(residual), residual, tf.fill(residual.shape, LARGEST_FLOAT32)),
    };
  }) as unknown as LyapunovSolution;
