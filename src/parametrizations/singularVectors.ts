import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { SingularVectors } from '../linalg/powerIteration.ts';
import { nextSeed } from '../nn/random.ts';

/** Random unit vectors of the sizes of a matrix; follows `nn.manualSeed`. */
export function randomVectors({ shape }: Tensor): SingularVectors {
  const [left, right] = shape.map((size) => {
    const vector = tf.randomNormal([size], 0, 1, 'float32', nextSeed());
    return tf.div(vector, tf.norm(vector));
  });
  return { left: left!, right: right! };
}

/**
 * The values of two buffers as tensors that a later step of the iteration leaves as they are: a tape keeps its inputs, and
 * must find in them the values that it was recorded with.
 */
export const constants = (u: Variable, v: Variable): SingularVectors => ({
  left: tf.clone(u as Tensor),
  right: tf.clone(v as Tensor),
});
