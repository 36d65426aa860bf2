import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { absolute } from './absolute.ts';
import { closerBound } from './newtonSchulz.ts';

/** The largest norm, in units of c, for which clipping one time leaves no eigenvalue above c·(1 + 2e-5). */
const ACCURATE_NORM = 50;

/**
 * Clips the eigenvalues of symmetric matrices to [−c, c]. The result is the nearest matrix with such eigenvalues in the
 * Frobenius norm.
 *
 * `(|K + cI| − |K − cI|)/2`, a second time unless the norm of K is known to be small.
 *
 * @remarks
 * **Shape**: K, result: [b, n, n]. The result is symmetric to the last bit.
 * **Accuracy**: 4e-7·max(‖K‖, c). No eigenvalue exceeds c by more than 2e-5·c.
 * **Cost**: two magnitudes, as `absolute`, or four; a few matrices of the size of K at once.
 * **Gradient**: none.
 */
export const clipEigenvalues = (K: Tensor, c: number, read: SyncReader = hostValues): Tensor =>
  tf.tidy(() => {
    const clipped = clippedOnce(K, c);
    return isBelow(closerBound(K), ACCURATE_NORM * c, read) ? clipped : clippedOnce(clipped, c);
  });

const clippedOnce = (K: Tensor, c: number): Tensor =>
  tf.tidy(() => {
    const limit = tf.mul(c, tf.eye(K.shape[2]!));
    return tf.mul(tf.sub(absolute(tf.add(K, limit)), absolute(tf.sub(K, limit))), 0.5);
  });

/** True if all numbers are known to be below a bound. */
function isBelow(numbers: Tensor, bound: number, read: SyncReader): boolean {
  const known = read(numbers);
  return known !== null && Array.from(known).every((number) => number < bound);
}
