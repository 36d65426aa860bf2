import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isZero, scaleAlong } from './norm.ts';

/**
 * Euclidean norms over some axes, which stay with size 1, to differentiate: like {@link norm}, and of zeros the gradient is
 * zero, where that of a square root is NaN.
 *
 * **Shape**: `x`: S. Result: S with every axis of `axes` set to 1.
 * **Gradient**: `x / ‖x‖`; of any order.
 */
function lengths(x: Tensor, axes: readonly number[]): Tensor {
  const scale = scaleAlong(x, axes);
  const squares = tf.sum(tf.square(tf.div(x, scale)), [...axes], true);
  const zero = isZero(squares);
  return tf.mul(scale, tf.sub(tf.sqrt(tf.add(squares, zero)), zero));
}

/**
 * A tensor with other lengths along some axes: `x · length / ‖x‖`. Zeros, which have no direction, stay zeros; the gradient
 * passes them.
 *
 * **Shape**: kept.
 * **Gradient**: to `x`, also through `length`; of any order.
 *
 * @param length - makes the wished lengths of the ones there are
 */
export function withLengths(x: Tensor, axes: readonly number[], length: (r: Tensor) => Tensor): Tensor {
  const r = lengths(x, axes);
  const zero = isZero(r);
  const factor = tf.div(tf.add(tf.mul(length(r), tf.sub(1, zero)), zero), tf.add(r, zero));
  return tf.mul(x, factor);
}
