import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { qr } from '../linalg/qr.ts';
import { matrixTranspose } from '../linalg/triangular.ts';
import { nextSeed } from '../nn/init/random.ts';
import { orthogonalMaps } from './orthogonalMap.ts';

/** How far an entry of QᵀQ of an orthogonal n × n matrix may be from I: torch's `10 · n · eps`. */
const tolerance = (n: number): number => 10 * n * 2 ** -23;

/**
 * The orthogonal matrices that begin with the columns of W: W itself where it is square and orthogonal already, else the Q
 * of `W = QR` with a positive diagonal of R, completed by random columns. Without gradient.
 *
 * **Shape**: W: [b, n, k], n ≥ k; result [b, n, n].
 */
export function orthogonalBase(W: Tensor): Tensor {
  const [b, n, k] = W.shape as [number, number, number];
  if (n > k) {
    const random = tf.randomNormal([b, n, n - k], 0, 1, 'float32', nextSeed());
    return orthogonalized(tf.concat([W, random], 2));
  }
  const difference = tf.abs(tf.sub(tf.matMul(matrixTranspose(W), W), tf.eye(n)));
  const isOrthogonal = tf.lessEqual(tf.max(difference, [1, 2], true), tolerance(n));
  return tf.where(isOrthogonal, W, orthogonalized(W));
}

const orthogonalized = (W: Tensor): Tensor => orthogonalMaps.householder(reflectors(W));

/**
 * The original that the householder map takes to the Q of `W = QR`, in the convention of LAPACK: the vectors of the
 * reflections below the diagonal, the signs of the diagonal of R on it, R above it, where nothing is used.
 *
 * **Shape**: W, result: [b, n, k], n ≥ k.
 */
export function reflectors(W: Tensor): Tensor {
  const [, n, k] = W.shape as [number, number, number];
  const { vectors, R } = qr(W);
  const identity = tf.eye(n, k);
  // The signs of zeros are free; with these, the Q of a zero matrix is the identity.
  const signs = tf.where(tf.greater(R, 0), tf.onesLike(R), tf.neg(tf.onesLike(R)));
  return tf.add(tf.add(vectors, tf.mul(R, tf.sub(1, identity))), tf.mul(signs, identity));
}
