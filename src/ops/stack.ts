import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

// The gradient of tf.stack is tf.unstack, and the gradient that tfjs has for tf.unstack throws where there is one item
// only. One item is therefore stacked and unstacked by reshaping it.

/**
 * Tensors of one shape along a new first axis: n of `[…]` to `[n, …]`.
 *
 * @remarks
 * **Gradient**: with respect to every item, of any order.
 */
export const stack = (items: readonly Tensor[]): Tensor =>
  items.length === 1 ? tf.expandDims(items[0]!, 0) : tf.stack([...items]);

/**
 * The items along the first axis: `[n, …]` to n of `[…]`.
 *
 * @remarks
 * **Gradient**: of any order.
 */
export const unstack = (x: Tensor): Tensor[] => (x.shape[0] === 1 ? [tf.squeeze(x, [0])] : tf.unstack(x));
