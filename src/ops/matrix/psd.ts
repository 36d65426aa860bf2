import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { absolute } from './absolute.ts';

/**
 * Raises the eigenvalues of symmetric matrices to at least f. The result is the nearest matrix with such eigenvalues in
 * the Frobenius norm.
 *
 * `(S + fI + |S − fI|)/2`
 *
 * @remarks
 * **Shape**: S, result: [b, n, n]; f: a number, or [b, 1, 1]. The result is symmetric to the last bit if S is.
 * **Accuracy**: 3e-7·‖S‖. So for f = 0, an eigenvalue may be −3e-7·‖S‖. With f = 1e-6·‖S‖_F, the result is positive
 * definite in float32, too.
 * **Cost**: one magnitude, as `absolute`; a few matrices of the size of S at once.
 * **Gradient**: none.
 *
 * @see Higham 1988, doi:10.1016/0024-3795(88)90223-6
 */
export const psd = (S: Tensor, f: Tensor | number): Tensor =>
  tf.tidy(() => {
    const floor = tf.mul(f, tf.eye(S.shape[2]!));
    return tf.mul(tf.add(tf.add(S, floor), absolute(tf.sub(S, floor))), 0.5);
  });
