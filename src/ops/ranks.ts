import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Returns the rank of each number along the last axis: 0 for the largest. Equal numbers have different ranks.
 *
 * It sorts twice: the order of the order is the rank. The numbers are not read, except by the `topk` of tfjs itself, on
 * webgl.
 *
 * @param x - finite numbers
 */
export const ranks = (x: Tensor): Tensor =>
  tf.tidy(() => {
    const size = x.shape.at(-1)!;
    if (x.size === 0) return tf.zeros(x.shape, 'int32');
    const { indices } = tf.topk(x, size);
    return tf.topk(tf.neg(indices), size).indices;
  });
