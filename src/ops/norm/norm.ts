import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../stopGradient.ts';

/** The largest number of float32. */
export const LARGEST_FLOAT32 = 3.4028234663852886e38;

/**
 * Returns the largest magnitude along some axes, which stay with size 1, or 1 if all numbers are zero. It is a constant
 * for gradients, for scaling a computation that does not depend on the scale.
 *
 * **Shape**: `x`: S. Result: S with every axis of `axes` set to 1. Infinities count as the largest float32.
 */
export function scaleAlong(x: Tensor, axes: readonly number[]): Tensor {
  return stopGradient(() => {
    const largest = tf.minimum(tf.max(tf.abs(x), [...axes], true), LARGEST_FLOAT32);
    return tf.add(largest, isZero(largest));
  });
}

/** Returns 1 where a non-negative tensor is zero, else 0. */
export const isZero = (x: Tensor): Tensor => tf.sub(1, tf.step(x));

/**
 * Returns Euclidean norms over some axes, which stay with size 1: `‖x‖ = m · √Σ(x/m)²` with `m = max|x|`.
 *
 * With the scaling, no square under- or overflows, so the norm is right over the whole range of float32.
 *
 * **Shape**: `x`: S. Result: S with every axis of `axes` set to 1.
 */
export function norm(x: Tensor, axes: readonly number[]): Tensor {
  const scale = scaleAlong(x, axes);
  return tf.mul(scale, tf.sqrt(tf.sum(tf.square(tf.div(x, scale)), [...axes], true)));
}
