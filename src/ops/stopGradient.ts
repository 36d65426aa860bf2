import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * What `compute` returns, as numbers that nothing depends on: no operation of it is recorded, so that it may use those
 * that have no gradient, such as comparisons.
 */
export function stopGradient(compute: () => Tensor): Tensor {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}
