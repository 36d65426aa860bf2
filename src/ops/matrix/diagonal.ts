import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Returns the diagonals of square matrices, `xᵢᵢ`.
 *
 * @remarks
 * **Shape**: X: [..., n, n]; result: [..., n].
 * **Domain**: finite numbers. It is the sum of the rows of `X ∘ I`.
 * **Gradient**: of any order.
 *
 * @see torch.diagonal
 */
export const diagonalOf = (X: Tensor): Tensor => tf.sum(tf.mul(X, tf.eye(X.shape.at(-1)!)), -1);

/**
 * Returns square matrices with other numbers on the diagonal: `X ∘ (1 − I) + diag(d)`.
 *
 * @remarks
 * **Shape**: X, result: [..., n, n]; d: [..., n].
 * **Gradient**: of any order; to X off the diagonal.
 */
export function withDiagonal(X: Tensor, d: Tensor): Tensor {
  const identity = tf.eye(X.shape.at(-1)!);
  return tf.add(tf.mul(X, tf.sub(1, identity)), tf.mul(tf.expandDims(d, -1), identity));
}
