import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { direction } from '../../ops/norm/direction.ts';

/**
 * Computes `W = g · v / max(‖v‖, eps)`. This specifies the fused computation, and runs where no fused kernel exists.
 *
 * **Shape**: `v`: S; `g`: S with every axis of `axes` set to 1, or a scalar; W: S.
 */
export function weightNormReference(g: Tensor, v: Tensor, axes: readonly number[], eps: number): Tensor {
  return tf.mul(g, direction(v, axes, eps).unit);
}
