import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Returns the n-norm of each slice of a tensor along an axis: a vector.
 *
 * Each slice is divided by its largest element first, so that powers neither overflow nor vanish.
 *
 * @param n - a number above 0, or Infinity for the largest absolute value
 */
export function sliceNorms(x: Tensor, axis: number, n: number): Tensor {
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis);
  const size = tf.abs(x);
  const largest = tf.max(size, others, true);
  if (n === Number.POSITIVE_INFINITY) return tf.reshape(largest, [-1]);
  const divisor = tf.where(tf.greater(largest, 0), largest, 1);
  const sum = tf.sum(tf.pow(tf.div(size, divisor), n), others, true);
  return tf.reshape(tf.mul(largest, tf.pow(sum, 1 / n)), [-1]);
}
