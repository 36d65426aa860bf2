import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { weightNormOp } from '../../kernels/index.ts';

/**
 * Gives the vectors of a tensor over some axes one length: `length · x / ‖x‖`. Zeros stay zeros.
 *
 * **Shape**: kept.
 * **Gradient**: of any order, orthogonal to x; zero where x is zero.
 */
export function scaledTo(length: number, x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return weightNormOp(tf.fill(axes.length === x.rank ? [] : kept, length), x, axes, 0);
}
