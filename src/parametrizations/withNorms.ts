import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { weightNormOp } from '../kernels/index.ts';
import { norm } from '../ops/norm/norm.ts';
import { stopGradient } from '../ops/stopGradient.ts';

/** Limits for norms, and how far a norm outside of them is moved to the nearest one: 1 all the way, 0 not at all. */
export interface NormLimits {
  readonly minValue: number;
  readonly maxValue: number;
  readonly rate: number;
}

/**
 * A tensor with its norms over some axes brought to limits: `X · (rate · clip(‖X‖) + (1 − rate) · ‖X‖) / ‖X‖`.
 *
 * Computed as `a·X + b·X/‖X‖`, where a and b are constants: 1 and 0 of a norm within the limits, else `1 − rate` and
 * `rate · limit`. No comparison is differentiated, and nothing is divided by a norm that is within the limits: one may
 * be as small as float32 allows. Zeros, which have no direction, count as within.
 *
 * **Shape**: kept.
 * **Gradient**: of any order; within the limits, also at them, that of the identity.
 */
export function withNorms(X: Tensor, axes: readonly number[], limits: NormLimits): Tensor {
  const { minValue, maxValue, rate } = limits;
  const norms = stopGradient(() => norm(X, axes));
  const nearest = stopGradient(() => tf.minimum(tf.maximum(norms, minValue), maxValue));
  // The share of the limit in the norm: the rate outside of the limits, else 0.
  const share = stopGradient(() => {
    const isOutside = tf.cast(tf.notEqual(nearest, norms), 'float32');
    return tf.mul(tf.mul(isOutside, tf.step(norms)), rate);
  });
  const [a, b] = [stopGradient(() => tf.sub(1, share)), stopGradient(() => tf.mul(share, nearest))];
  return tf.add(tf.mul(X, a), weightNormOp(b, X, axes, 0));
}
