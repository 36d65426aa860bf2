import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { weightNormGradient } from './gradient.ts';
import { weightNormReference } from './reference.ts';

/**
 * Weight normalization as one operation with one gradient: `W = g · v / max(‖v‖, eps)`.
 *
 * **Shape**: `v`: S; `g`: S with every axis of `axes` set to 1, or a scalar if `axes` are all; W: S.
 * **Gradient**: in closed form, to g and v; differentiable again. Zero, like W, where v is zero.
 *
 * @param axes - the axes that a norm runs over
 */
export function weightNormOp(g: Tensor, v: Tensor, axes: readonly number[], eps: number): Tensor {
  const op = tf.customGrad((...args) => {
    const [magnitude, direction, save] = args as [Tensor, Tensor, (tensors: Tensor[]) => void];
    save([magnitude, direction]);
    return {
      value: weightNormReference(magnitude, direction, axes, eps),
      gradFunc: (dW: Tensor, saved: Tensor[]) => {
        const { dg, dv } = weightNormGradient(dW, saved[0]!, saved[1]!, axes, eps);
        return [dg, dv];
      },
    };
  });
  return op(g, v);
}
