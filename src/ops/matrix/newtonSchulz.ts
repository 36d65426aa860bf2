import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { GramSpectrum } from '../float64/gramSpectrum.ts';
import { isZero, scaleAlong } from '../norm/norm.ts';
import { plainMatMul } from './matMul.ts';
import { type CubicStep, NewtonSchulzSteps } from './newtonSchulzSteps.ts';

/** The number of steps that raise singular values from above 1e-7 to 0.4. Each step multiplies them by 2.32. */
const APPROACH = 18;

/** Matrices from {@link newtonSchulz}. */
export interface Raised {
  readonly X: Tensor;
  /** True if all singular values are 1, false if some are not, null if that is not known. */
  readonly isComplete: boolean | null;
}

/**
 * Replaces the singular values of matrices by 1: `UΣVᵀ` becomes `UVᵀ`, by products of matrices alone. Singular values
 * below 1e-6 of the largest one become numbers from 0 to 1; `polar` goes on from there.
 *
 * If the numbers can be read, only the steps are made that the singular values need; see {@link NewtonSchulzSteps}.
 *
 * @remarks
 * **Shape**: A, X: [b, n, k], n ≥ k.
 * **Gradient**: none.
 * **Cost**: 46 products; for numbers that can be read, 2 for an orthogonal matrix, 27 for a condition number of 1e3, 54
 * if the rank is not full; a few matrices of the size of A at once.
 */
export const newtonSchulz = (A: Tensor, read: SyncReader = hostValues): Raised => {
  const start = tf.tidy(() => {
    const { scale, bound } = sizeOf(A);
    return tf.div(tf.div(A, scale), bound);
  });
  const raised = raise(start, APPROACH, read);
  start.dispose();
  return raised;
};

/**
 * Raises the singular values of matrices, at most 1, to 1.
 *
 * @param approach - the largest number of steps for small singular values
 */
export function raise(start: Tensor, approach: number, read: SyncReader): Raised {
  const steps = new NewtonSchulzSteps(approach);
  const spectrum = new GramSpectrum(start.shape[0]!, start.shape[2]!);
  let [X, G] = tf.tidy((): [Tensor, Tensor] => {
    const gram = plainMatMul(start, start, true);
    const bound = boundOf(gram);
    return [tf.div(start, tf.sqrt(bound)), tf.div(gram, bound)];
  });
  for (;;) {
    const numbers = read(G);
    const step = steps.next(numbers === null ? null : spectrum.estimate(numbers));
    const next = tf.tidy(() => newtonStep(X, G, step));
    tf.dispose([X, G]);
    if (step.isLast) return { X: next, isComplete: numbers === null ? null : steps.isComplete };
    [X, G] = [next, tf.tidy(() => plainMatMul(next, next, true))];
  }
}

/** A closer bound of the largest singular value than {@link sizeOf}: `√min(‖G‖∞, ‖G‖_F)` for `G = XᵀX`; 1 for zeros. */
export const closerBound = (X: Tensor): Tensor => tf.tidy(() => tf.sqrt(boundOf(plainMatMul(X, X, true))));

/** The square of {@link closerBound} for a G. It is exact for multiples of the identity. */
function boundOf(G: Tensor): Tensor {
  const size = tf.abs(G);
  const rows = tf.max(tf.sum(size, 2, true), 1, true);
  const frobenius = tf.sqrt(tf.sum(tf.square(size), [1, 2], true));
  const least = tf.minimum(rows, frobenius);
  return tf.add(least, isZero(least));
}

/** `c·X(s·I − G)` for `G = XᵀX`, or any matrices in the place of X. */
const newtonStep = (X: Tensor, G: Tensor, { c, s }: CubicStep): Tensor =>
  tf.sub(tf.mul(X, c * s), plainMatMul(X, tf.mul(G, c)));

/** `X(3I − XᵀX)/2`: doubles the digits of nearly orthogonal matrices. */
export const plainStep = (X: Tensor): Tensor =>
  tf.tidy(() => newtonStep(X, plainMatMul(X, X, true), { c: 0.5, s: 3 }));

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
