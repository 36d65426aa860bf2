import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { reflectionFactor } from './householderProduct.ts';
import { isZero, norm, scaleAlong } from './norm.ts';
import { matrixTranspose, tril, triu } from './triangular.ts';

/** How many columns are eliminated before the rest of the matrix is brought up to date. */
const PANEL = 32;

/** `A = H₁H₂⋯H_k·R`, by reflections as of `householderProduct`. */
export interface QrFactors {
  /** The vectors of the reflections, below the diagonal; zero elsewhere. */
  readonly vectors: Tensor;
  /** R, on and above the diagonal; zero elsewhere. */
  readonly R: Tensor;
}

/**
 * The QR factors of matrices, by Householder reflections; also of matrices that do not have full rank.
 *
 * @remarks
 * **Shape**: A, vectors, R: [b, n, k], n ≥ k.
 * **Gradient**: none.
 * **Ownership**: returns new tensors, as any op.
 *
 * @see torch.geqrf, which leaves a column as it is where this one reflects it along its own axis
 */
export function qr(A: Tensor): QrFactors {
  const [b, n, k] = A.shape as [number, number, number];
  const scale = scaleAlong(A, [1, 2]);
  let rest: Tensor = tf.div(A, scale);
  const [vectors, triangle]: [Tensor[], Tensor[]] = [[], []];
  for (let start = 0; start < k; start += PANEL) {
    const width = Math.min(PANEL, k - start);
    const panel = eliminate(tf.slice(rest, [0, 0, 0], [b, n, width]), start);
    const remaining = k - start - width;
    // An empty tensor would trap on wasm.
    if (remaining > 0) rest = reflectBack(panel.vectors, tf.slice(rest, [0, 0, width], [b, n, remaining]));
    vectors.push(panel.vectors);
    triangle.push(panel.R);
  }
  return {
    vectors: tril(tf.concat(vectors, 2), -1),
    R: tf.mul(scale, triu(tf.concat(triangle, 2))),
  };
}

/** Eliminates what is below the diagonal in a few columns, the first of which is column `start` of the matrix. */
function eliminate(panel: Tensor, start: number): QrFactors {
  const [b, n, width] = panel.shape as [number, number, number];
  const rows = tf.reshape(tf.range(0, n), [1, n, 1]);
  const vectors: Tensor[] = [];
  let R = panel;
  for (let j = 0; j < width; j++) {
    const row = start + j;
    const x = tf.slice(R, [0, 0, j], [b, n, 1]);
    const pivot = tf.slice(x, [0, row, 0], [b, 1, 1]);
    const below = tf.mul(x, tf.cast(tf.greater(rows, row), 'float32'));
    const length = norm(tf.concat([pivot, below], 1), [1]);
    // Away from zero, so that nothing cancels; a zero column is reflected all the same.
    const divisor = tf.add(pivot, tf.where(tf.less(pivot, 0), tf.neg(length), length));
    const direction = tf.div(below, tf.add(divisor, isZero(tf.abs(divisor))));
    const v = tf.add(direction, tf.cast(tf.equal(rows, row), 'float32'));
    const tau = tf.div(2, tf.sum(tf.square(v), 1, true));
    R = tf.sub(R, tf.matMul(tf.mul(tau, v), tf.matMul(matrixTranspose(v), R)));
    vectors.push(v);
  }
  return { vectors: tf.concat(vectors, 2), R };
}

/** `(H₁H₂⋯)ᵀ·A` */
function reflectBack(vectors: Tensor, A: Tensor): Tensor {
  const V = tf.div(vectors, norm(vectors, [1]));
  const transposed = matrixTranspose(V);
  const factor = matrixTranspose(reflectionFactor(V));
  return tf.sub(A, tf.matMul(V, tf.matMul(factor, tf.matMul(transposed, A))));
}
