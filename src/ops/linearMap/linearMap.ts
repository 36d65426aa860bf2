import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A linear map and its transpose. Neither needs a gradient, and both return new tensors. */
export interface LinearMap {
  readonly apply: (x: Tensor) => Tensor;
  readonly transpose: (y: Tensor) => Tensor;
}

/**
 * Computes `y = A·x`, which can be differentiated any number of times, whichever operations compute it.
 *
 * The gradient of a linear map is its transpose, and the gradient of the transpose is the map.
 *
 * @remarks
 * **Gradient**: of any order; `∂⟨A·x, dy⟩/∂x = Aᵀ·dy`.
 * **Ownership**: returns a new tensor, as any op.
 */
export function applyLinear(map: LinearMap, x: Tensor): Tensor {
  const operation = tf.customGrad(() => ({
    value: map.apply(x),
    gradFunc: (dy) => applyLinear({ apply: map.transpose, transpose: map.apply }, dy as Tensor),
  }));
  return operation(x);
}
