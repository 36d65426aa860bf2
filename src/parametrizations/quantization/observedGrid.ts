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

/** The options that make a grid. */
interface GridOptions {
  readonly learned: boolean;
  readonly symmetric: boolean;
  readonly range: readonly [min: number, max: number];
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

/** Returns the integer that stands for zero in a symmetric grid: 0, or the middle of a range that begins with 0. */
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

/**
 * Returns the scale and zero point with which a map begins: those that cover the tensor, or with a learned symmetric
 * scale those of LSQ: `2 · mean|X| / √max`.
 */
export function gridFor(X: Tensor, layout: ScaleLayout, { learned, symmetric, range }: GridOptions): Grid {
  if (!learned || !symmetric) return gridOver(extremesOf(X, layout), symmetric, range);
  const ones = tf.ones([...layout.scaleShape]);
  const mean = X.size === 0 ? ones : layout.reduce(layout.split(tf.abs(X)), (x, axes) => tf.mean(x, axes));
  const scale = tf.div(tf.mul(mean, 2), Math.sqrt(range[1]));
  // A range from 0 is for numbers above 0, as in the paper.
  return { scale: tf.clipByValue(scale, LEAST_SCALE, MOST_SCALE), zeroPoint: tf.zerosLike(ones) };
}

/**
 * Returns extremes that an observer has moved by those of a further tensor.
 *
 * @param rate - the share of the new ones in the moving average; null for the extremes of all
 */
export function movedExtremes(old: Extremes, now: Extremes, rate: number | null): Extremes {
  if (rate === null) return { min: tf.minimum(old.min, now.min), max: tf.maximum(old.max, now.max) };
  const moved = (a: Tensor, b: Tensor): Tensor => tf.add(a, tf.mul(tf.sub(b, a), rate));
  return { min: moved(old.min, now.min), max: moved(old.max, now.max) };
}
