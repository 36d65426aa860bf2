import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { absolute } from './absolute.ts';

/**
 * Clips the eigenvalues of symmetric matrices to [−c, c]. The result is the nearest matrix with such eigenvalues in the
 * Frobenius norm.
 *
 * `(|K + cI| − |K − cI|)/2`
 *
 * @remarks
 * **Shape**: K, result: [b, n, n]; c: a number, or [b, 1, 1]. The result is symmetric to the last bit.
 * **Accuracy**: 4e-7·max(‖K‖, c).
 * **Cost**: two magnitudes, as `absolute`; a few matrices of the size of K at once.
 * **Gradient**: none.
 */
export const clipEigenvalues = (K: Tensor, c: Tensor | number): Tensor =>
  tf.tidy(() => {
    const limit = tf.mul(c, tf.eye(K.shape[2]!));
    return tf.mul(tf.sub(absolute(tf.add(K, limit)), absolute(tf.sub(K, limit))), 0.5);
  });
