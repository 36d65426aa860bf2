import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { direction } from '../../ops/norm/direction.ts';

/**
 * The gradient of `weightNormGradient`: with `p = Σ(∂L/∂W · u)` for dg, and cotangents `q` of dg and `r` of dv,
 * `s = Σ(r · u)`, `t = Σ(r · ∂L/∂W)`, `N = ‖v‖`, `a = g/N`, and `k` 1, or 0 where the norm is at most eps,
 *
 * `q·u + a·(r − k·u·s)` to ∂L/∂W, `(t − k·p·s)/N` to g, and to v
 * `q/N·(∂L/∂W − k·u·p) − k·a/N·((t − p·s)·u + s·(∂L/∂W − u·p) + p·(r − u·s))`.
 *
 * If v is zero, all gradients are zero. They consist of operations that can be differentiated again.
 */
export function weightNormSecondGradient(
  q: Tensor,
  r: Tensor,
  dW: Tensor,
  g: Tensor,
  v: Tensor,
  axes: readonly number[],
  eps: number,
): { dW: Tensor; g: Tensor; v: Tensor } {
  const { unit: u, productOverNorm, isUnit: k } = direction(v, axes, eps);
  const dot = (x: Tensor, y: Tensor) => tf.sum(tf.mul(x, y), [...axes], true);
  const perNorm = (x: Tensor) => tf.reshape(x, dot(u, u).shape);
  const overNorm = (x: Tensor) => productOverNorm(x, tf.scalar(1));
  const [p, s, t] = [dot(dW, u), dot(r, u), dot(r, dW)] as [Tensor, Tensor, Tensor];
  const magnitude = perNorm(g);
  // The components of dW and r orthogonal to v.
  const across = tf.sub(dW, tf.mul(k, tf.mul(u, p)));
  const acrossToo = tf.sub(r, tf.mul(k, tf.mul(u, s)));
  const along = tf.sub(t, tf.mul(k, tf.mul(p, s)));
  const turned = tf.add(tf.mul(along, u), tf.add(tf.mul(s, across), tf.mul(p, acrossToo)));
  // The division comes last. A factor of 1/‖v‖² could be infinite and turn zeros into NaN.
  return {
    dW: tf.add(tf.mul(perNorm(q), u), productOverNorm(acrossToo, magnitude)),
    g: tf.reshape(overNorm(along), g.shape),
    v: tf.sub(productOverNorm(across, perNorm(q)), tf.mul(k, overNorm(productOverNorm(turned, magnitude)))),
  };
}
