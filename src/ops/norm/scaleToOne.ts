import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { scaleAlong } from './norm.ts';

/**
 * Divides a tensor by its largest magnitude; zeros stay zeros. Products of the result neither over- nor underflow.
 *
 * **Shape**: kept.
 * **Gradient**: of any order, with the divisor as a constant. This is right if the caller's result does not depend on
 * the scale of `x`.
 */
export function scaleToOne(x: Tensor): Tensor {
  const op = tf.customGrad((...args) => {
    const [tensor, save] = args as [Tensor, (tensors: Tensor[]) => void];
    const scale = tf.reshape(
      scaleAlong(
        tensor,
        tensor.shape.map((_, axis) => axis),
      ),
      [],
    );
    const result = tf.div(tensor, scale);
    save([scale]);
    return {
      value: result,
      gradFunc: (dy: Tensor, saved: Tensor[]) => tf.div(dy, saved[0]!),
    };
  });
  return op(x);
}
