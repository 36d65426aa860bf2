import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ranks } from '../../ops/ranks.ts';

/** Below the score of every element that lives. */
const HIDDEN = -3.4e38;

/** Scores are limited to finite numbers, whose order a device keeps. NaN counts as the largest, as in torch. */
const [LEAST, MOST] = [-3.3e38, 3.3e38];

/**
 * Returns a mask along the last axis with 1 for the elements of the highest scores, and 0 for the others and for those
 * that are hidden already.
 *
 * @param scores - a score for each element
 * @param living - 1 for each element that is not hidden, else 0; null if none is hidden
 * @param kept - the number of ones
 */
export function withoutLowest(scores: Tensor, living: Tensor | null, kept: number | Tensor): Tensor {
  const finite = tf.where(tf.isNaN(scores), MOST, tf.clipByValue(scores, LEAST, MOST));
  const ordered = living === null ? finite : tf.where(tf.cast(living, 'bool'), finite, HIDDEN);
  const mask = tf.cast(tf.less(ranks(ordered), kept), 'float32');
  return living === null ? mask : tf.mul(mask, living);
}
