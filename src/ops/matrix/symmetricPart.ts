import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { transpose } from './transpose.ts';

/**
 * Returns the symmetric part of square matrices, `(X + Xᵀ)/2`: the nearest symmetric matrix. Both triangles have the
 * same numbers, to the last bit.
 *
 * @remarks
 * **Shape**: [..., n, n], kept.
 * **Gradient**: of any order; it is the same map.
 */
export function symmetricPart(X: Tensor): Tensor {
  // The sum of the halves does not overflow.
  const half = tf.mul(X, 0.5);
  return tf.add(half, transpose(half));
}
