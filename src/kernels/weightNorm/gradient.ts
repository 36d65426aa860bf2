import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { direction } from '../../ops/norm/direction.ts';

/**
 * The gradients of `W = g · u`, `u = v / max(‖v‖, eps)`, in closed form:
 *
 * `∂L/∂g = Σ(∂L/∂W · u)`, `∂L/∂v = g/‖v‖ · (∂L/∂W − u · ∂L/∂g)`.
 *
 * At norms of at most eps, the divisor is constant and the second term vanishes. If v is zero, the gradient is zero. It
 * consists of operations that can be differentiated again.
 */
export function weightNormGradient(
  dW: Tensor,
  g: Tensor,
  v: Tensor,
  axes: readonly number[],
  eps: number,
): { dg: Tensor; dv: Tensor } {
  const { unit, productOverNorm, isUnit } = direction(v, axes, eps);
  const along = tf.sum(tf.mul(dW, unit), [...axes], true);
  return {
    dg: tf.reshape(along, g.shape),
    dv: productOverNorm(tf.sub(dW, tf.mul(unit, tf.mul(isUnit, along))), g),
  };
}
