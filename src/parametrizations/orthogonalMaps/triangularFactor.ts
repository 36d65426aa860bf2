import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { withDiagonal } from '../../ops/matrix/diagonal.ts';
import { triu } from '../../ops/matrix/triangular.ts';

/** The least number on the diagonal of R, relative to the largest. */
const LEAST = 1e-6;

/**
 * Returns the part of matrices above the diagonal, with other numbers on the diagonal.
 *
 * **Shape**: X, result: [b, n, n]; d: [b, n].
 */
export const upperWith = (X: Tensor, d: Tensor): Tensor => withDiagonal(triu(X, 1), d);

/**
 * Raises the numbers on the diagonals of triangular matrices, at least 0, that are below 1e-6 of the largest one.
 *
 * **Shape**: d, result: [b, n].
 *
 * @param lifted - the number that they become, relative to the largest one; 1 for zeros
 */
export const lifted = (d: Tensor, to: number): Tensor =>
  tf.tidy(() => {
    const most = tf.max(d, 1, true);
    const largest = tf.where(tf.greater(most, 0), most, tf.onesLike(most));
    return tf.where(tf.less(d, tf.mul(LEAST, largest)), tf.mul(tf.mul(to, largest), tf.onesLike(d)), d);
  });
