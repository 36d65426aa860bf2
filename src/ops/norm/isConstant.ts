import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { center } from './center.ts';
import { scaleAlong } from './norm.ts';

/** Below this, relative to the largest element, a difference from the mean is a rounding error. */
const ROUNDING = 1e-6;

/**
 * Returns whether the elements of a tensor along some axes, which stay with size 1, are equal to rounding, so that
 * nothing is left of them without their mean. It has no gradient.
 *
 * **Shape**: `x`: S. Result: S with every axis of `axes` set to 1, boolean.
 */
export function isConstant(x: Tensor, axes: readonly number[]): Tensor {
  return tf.tidy(() => {
    const centered = center(tf.div(x, scaleAlong(x, axes)), axes);
    return tf.less(tf.max(tf.abs(centered), [...axes], true), ROUNDING);
  });
}
