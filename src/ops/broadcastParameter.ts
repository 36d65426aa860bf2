import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Returns a parameter in the form in which an operation on `x` should broadcast it: the parameter itself, or no numbers
 * in the shape of x if x is empty.
 *
 * For an empty x, the gradient of the parameter is a sum of nothing, which the wasm backend leaves unset: its numbers
 * are what the memory held before. This form has a gradient of zeros.
 */
export function broadcastParameter(parameter: Tensor, x: Tensor): Tensor {
  if (x.size > 0) return parameter;
  return tf.customGrad((...inputs) => {
    const parameter = inputs[0] as Tensor;
    const zeros = (): Tensor => tf.zeros(parameter.shape);
    return { value: tf.zeros(x.shape), gradFunc: zeros };
  })(parameter);
}
