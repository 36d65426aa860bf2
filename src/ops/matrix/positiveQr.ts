import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { reflectionProduct } from './blockReflection.ts';
import { qr } from './qr.ts';

/** The factors `A = QR` with a diagonal of R that is not negative. */
export interface PositiveQr {
  /** The first columns of an orthogonal matrix, [b, n, columns]; the first k of them are those of the decomposition. */
  readonly Q: Tensor;
  /** R, [b, k, k]; zero below the diagonal. */
  readonly R: Tensor;
  /** The determinant of a square Q, 1 or −1: [b, 1, 1]. */
  readonly determinant: Tensor;
}

/**
 * Computes the QR factors of matrices with a diagonal of R that is not negative. For a matrix of full rank, they are
 * unique. The columns of Q after the first k are the remaining columns of the product of the reflections.
 *
 * A zero on the diagonal of R gets the sign of the reflection, so the Q of a zero matrix is the identity.
 *
 * @remarks
 * **Shape**: A: [b, n, k], n ≥ k.
 * **Gradient**: none.
 * **Ownership**: returns new tensors, as any op.
 *
 * @param columns - the number of columns of Q, from k to n. Default k.
 */
export function positiveQr(A: Tensor, columns = A.shape[2]!): PositiveQr {
  const [b, , k] = A.shape as [number, number, number];
  const [Q, R, determinant] = tf.tidy(() => {
    const { vectors, R } = qr(A);
    const top = tf.slice(R, [0, 0, 0], [b, k, k]);
    const signs = diagonalSigns(top);
    const all = columns > k ? tf.concat([signs, tf.ones([b, 1, columns - k])], 2) : signs;
    // Each of the k reflections has the determinant −1.
    const product = tf.mul(tf.prod(signs, 2, true), (-1) ** k);
    const Q = tf.tidy(() => tf.mul(reflectionProduct(vectors, columns), all));
    return [Q, tf.mul(top, tf.reshape(signs, [b, k, 1])), product];
  }) as [Tensor, Tensor, Tensor];
  return { Q, R, determinant };
}

/** Returns the signs of the diagonal of R, [b, 1, k], with −1 for zero. */
export function diagonalSigns(R: Tensor): Tensor {
  const diagonal = tf.sum(tf.mul(R, tf.eye(R.shape[2]!)), 1, true);
  return tf.where(tf.greater(diagonal, 0), tf.onesLike(diagonal), tf.neg(tf.onesLike(diagonal)));
}
