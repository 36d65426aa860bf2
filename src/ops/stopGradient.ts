import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Returns the result of `compute` as a constant. Its operations are not recorded, so it may use operations without a
 * gradient, such as comparisons.
 */
export function stopGradient(compute: () => Tensor): Tensor {
  return tf.customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}
