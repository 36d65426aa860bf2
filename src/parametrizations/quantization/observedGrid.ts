import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { LEAST_SCALE } from '../../ops/fakeQuantize.ts';
import type { ScaleLayout } from './scaleLayout.ts';

/** Scales are at most this number, so that infinite elements leave a finite scale. */
const MOST_SCALE = 2 ** 100;

/** The smallest and the largest element of each slice with a scale. */
export interface Extremes {
  readonly min: Tensor;
  readonly max: Tensor;
}

/** A scale and a zero point for each slice, as float32. */
export interface Grid {
  readonly scale: Tensor;
  readonly zeroPoint: Tensor;
}

/** Returns the extremes of the elements; zeros for a tensor without elements. */
export function extremesOf(X: Tensor, layout: ScaleLayout): Extremes {
  if (X.size === 0) return { min: tf.zeros([...layout.scaleShape]), max: tf.zeros([...layout.scaleShape]) };
  const seen = layout.split(X);
  return {
    min: layout.reduce(seen, (x, axes) => tf.min(x, axes)),
    max: layout.reduce(seen, (x, axes) => tf.max(x, axes)),
  };
}

/** Returns the integer that stands for zero in a symmetric grid: 0, or the middle of a range without negative numbers. */
export const middleOf = ([min, max]: readonly [number, number]): number =>
  min < 0 ? 0 : Math.ceil((min + max) / 2);

/**
 * Returns the scale and zero point with which a range of integers covers numbers, as the observers of torch do. Zero is
 * always on the grid.
 */
export function gridOver({ min, max }: Extremes, symmetric: boolean, range: readonly [number, number]): Grid {
  const steps = range[1] - range[0];
  const [low, high] = [tf.minimum(min, 0), tf.maximum(max, 0)];
  const limited = (scale: Tensor): Tensor => tf.clipByValue(scale, LEAST_SCALE, MOST_SCALE);
  if (symmetric) {
    const scale = limited(tf.div(tf.maximum(tf.neg(low), high), steps / 2));
    return { scale, zeroPoint: tf.fill(scale.shape, middleOf(range)) };
  }
  const scale = limited(tf.div(tf.sub(high, low), steps));
  const zeroPoint = tf.clipByValue(tf.sub(range[0], tf.round(tf.div(low, scale))), ...range);
  return { scale, zeroPoint };
}

/** Returns the scale with which LSQ begins: `2 · mean|X| / √max`. */
export function learnedScale(X: Tensor, layout: ScaleLayout, max: number): Tensor {
  if (X.size === 0) return tf.ones([...layout.scaleShape]);
  const mean = layout.reduce(layout.split(tf.abs(X)), (x, axes) => tf.mean(x, axes));
  return tf.clipByValue(tf.div(tf.mul(mean, 2), Math.sqrt(max)), LEAST_SCALE, MOST_SCALE);
}
