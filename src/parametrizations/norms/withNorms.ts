import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { weightNormOp } from '../../kernels/index.ts';
import { nextSeed } from '../../nn/init/random.ts';
import { norm } from '../../ops/norm/norm.ts';
import { stopGradient } from '../../ops/stopGradient.ts';
import { scaledTo } from './scaledTo.ts';

/** The limits of norms, and the fraction of the distance by which a norm outside of them moves to the nearest limit. */
export interface NormLimits {
  readonly minValue: number;
  readonly maxValue: number;
  readonly rate: number;
}

/**
 * Moves the norms of a tensor over some axes towards limits: `X · (rate · clip(‖X‖) + (1 − rate) · ‖X‖) / ‖X‖`.
 *
 * It is computed as `a·X + b·X/‖X‖` with constants a and b: 1 and 0 for a norm within the limits, else `1 − rate` and
 * `rate · limit`. So no comparison is differentiated. A norm within the limits may be as small as float32 allows,
 * because nothing is divided by it. Zeros have no direction, and count as within the limits.
 *
 * **Shape**: kept.
 * **Gradient**: of any order; within the limits, and at them, the gradient of the identity.
 */
export function withNorms(X: Tensor, axes: readonly number[], limits: NormLimits): Tensor {
  const { minValue, maxValue, rate } = limits;
  const norms = stopGradient(() => norm(X, axes));
  const nearest = stopGradient(() => tf.minimum(tf.maximum(norms, minValue), maxValue));
  // The share of the limit in the new norm: the rate outside of the limits, else 0.
  const share = stopGradient(() => {
    const isOutside = tf.cast(tf.notEqual(nearest, norms), 'float32');
    return tf.mul(tf.mul(isOutside, tf.step(norms)), rate);
  });
  const [a, b] = [stopGradient(() => tf.sub(1, share)), stopGradient(() => tf.mul(share, nearest))];
  return tf.add(tf.mul(X, a), weightNormOp(b, X, axes, 0));
}

/** Gives the vectors of a tensor random norms between two numbers. Zeros stay zeros. Follows `nn.manualSeed`. */
export function withUniformNorms(
  x: Tensor,
  axes: readonly number[],
  [least, greatest]: readonly [number, number],
): Tensor {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const norms = tf.randomUniform(kept, least, greatest, 'float32', nextSeed());
  return tf.mul(scaledTo(1, x, axes), norms);
}
