import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** Applies a function of the last axis to another axis of a tensor. The function keeps the shape. */
export function onLastAxis(x: Tensor, axis: number, fn: (x: Tensor) => Tensor): Tensor {
  return swapLastAxis(fn(swapLastAxis(x, axis)), axis);
}

/** Swaps an axis of a tensor with the last one. It returns the tensor itself if the axis is the last one already. */
export function swapLastAxis(x: Tensor, axis: number): Tensor {
  const last = x.rank - 1;
  // On webgpu, the result of a transposition that moves no axis has wrong numbers.
  if (axis === last) return x;
  const order = [...x.shape.keys()];
  [order[axis], order[last]] = [last, axis];
  return tf.transpose(x, order);
}
