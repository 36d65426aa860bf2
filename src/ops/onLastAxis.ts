import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** Applies a function of the last axis to another axis of a tensor. The function keeps the shape. */
export function onLastAxis(x: Tensor, axis: number, fn: (x: Tensor) => Tensor): Tensor {
  const last = x.rank - 1;
  if (axis === last) return fn(x);
  const order = [...x.shape.keys()];
  [order[axis], order[last]] = [last, axis];
  return tf.transpose(fn(tf.transpose(x, order)), order);
}
