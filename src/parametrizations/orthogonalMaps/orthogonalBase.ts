import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { diagonalSigns, positiveQr } from '../../ops/matrix/positiveQr.ts';
import { qr } from '../../ops/matrix/qr.ts';

/** The largest accepted difference between QᵀQ and I for an n × n matrix: torch's `10 · n · eps`. */
const tolerance = (n: number): number => 10 * n * 2 ** -23;

/**
 * Returns orthogonal matrices that begin with the columns of W. The result is W if it is square and orthogonal.
 * Otherwise it is the Q of `W = QR` with a positive diagonal of R, completed by the remaining columns of the product of
 * its reflections. It has no gradient.
 *
 * **Shape**: W: [b, n, k], n ≥ k; result [b, n, n].
 *
 * @param isSpecial - if true, the last column of a square matrix with determinant −1 is negated
 */
export function orthogonalBase(W: Tensor, isSpecial = false): Tensor {
  const [, n, k] = W.shape as [number, number, number];
  return tf.tidy(() => {
    const { Q, R, determinant } = positiveQr(W, n);
    const base = n > k ? Q : tf.where(isOrthogonal(R), W, Q);
    return isSpecial ? withLastColumnTimes(base, determinant) : base;
  });
}

/** Multiplies the last column of matrices, [b, n, n], by numbers, [b, 1, 1]. */
export function withLastColumnTimes(Q: Tensor, factor: Tensor): Tensor {
  const [b, , k] = Q.shape as [number, number, number];
  return tf.mul(Q, k === 1 ? factor : tf.concat([tf.ones([b, 1, k - 1]), factor], 2));
}

/**
 * Returns, from the R of the QR factors, whether matrices have orthonormal columns to rounding, [b, 1, 1].
 * `WᵀW = RᵀR`, which near I has `r²ᵢᵢ` on the diagonal and `rᵢᵢ·rᵢⱼ` above it.
 */
export function isOrthogonal(R: Tensor): Tensor {
  const n = R.shape[2]!;
  const identity = tf.eye(n);
  const diagonal = tf.sum(tf.mul(R, identity), 2, true);
  const difference = tf.abs(tf.sub(tf.mul(diagonal, R), identity));
  return tf.lessEqual(tf.max(difference, [1, 2], true), tolerance(n));
}

/**
 * Returns the original that the householder map takes to the Q of `W = QR`, in LAPACK's layout. It has the vectors of
 * the reflections below the diagonal, the signs of the diagonal of R on it, and R above it, where the map reads
 * nothing.
 *
 * **Shape**: W, result: [b, n, k], n ≥ k.
 */
export function reflectors(W: Tensor): Tensor {
  const [b, n, k] = W.shape as [number, number, number];
  return tf.tidy(() => {
    const { vectors, R } = qr(W);
    const identity = tf.eye(n, k);
    const signs = diagonalSigns(tf.slice(R, [0, 0, 0], [b, k, k]));
    const aboveDiagonal = tf.mul(R, tf.sub(1, identity));
    return tf.addN([vectors, aboveDiagonal, tf.mul(signs, identity)]);
  });
}
