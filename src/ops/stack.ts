import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

// The gradient of tf.stack is tf.unstack, and tfjs's gradient of tf.unstack throws for a single item. So a single item
// is stacked and unstacked by reshaping it.

/**
 * Stacks tensors of one shape along a new first axis: n of `[…]` to `[n, …]`.
 *
 * @remarks
 * **Gradient**: with respect to every item, of any order.
 */
export const stack = (items: readonly Tensor[]): Tensor =>
  items.length === 1 ? tf.expandDims(items[0]!, 0) : tf.stack([...items]);

/**
 * Returns the items along the first axis: `[n, …]` to n of `[…]`.
 *
 * @remarks
 * **Gradient**: of any order.
 */
export const unstack = (x: Tensor): Tensor[] => (x.shape[0] === 1 ? [tf.squeeze(x, [0])] : tf.unstack(x));
