import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { scaleAlong } from './norm.ts';

/**
 * Divides a tensor by its largest magnitude, of the whole tensor or along some axes; zeros stay zeros. Products of
 * the result neither over- nor underflow.
 *
 * **Shape**: kept.
 * **Gradient**: of any order, with the divisor as a constant. This is right if the caller's result does not depend on
 * the scale of `x`.
 *
 * @param axes - the axes that share a magnitude. Default: all.
 */
export function scaleToOne(x: Tensor, axes: readonly number[] = [...x.shape.keys()]): Tensor {
  const op = tf.customGrad((...args) => {
    const [tensor, save] = args as [Tensor, (tensors: Tensor[]) => void];
    const scale = scaleAlong(tensor, axes);
    const result = tf.div(tensor, scale);
    save([scale]);
    return {
      value: result,
      gradFunc: (dy: Tensor, saved: Tensor[]) => tf.div(dy, saved[0]!),
    };
  });
  return op(x);
}
