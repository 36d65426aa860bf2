import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * The upper triangle of a matrix: entry (i, j) if `j − i ≥ diagonal`, else 0.
 *
 * **Shape**: `x`: [..., m, n]. Result: the same.
 *
 * @see torch.triu
 */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return tf.where(tf.greaterEqual(offsets(x), diagonal), x, tf.zerosLike(x));
}

/**
 * The lower triangle of a matrix: entry (i, j) if `j − i ≤ diagonal`, else 0.
 *
 * **Shape**: `x`: [..., m, n]. Result: the same.
 *
 * @see torch.tril
 */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return tf.where(tf.lessEqual(offsets(x), diagonal), x, tf.zerosLike(x));
}

/**
 * `j − i` for each entry, [m, n]: constants, because a comparison that depended on x would have no gradient in tfjs.
 * Float32, which the wasm backend subtracts hundreds of times as fast as int32 where one is spread along the other.
 */
function offsets({ shape }: Tensor): Tensor {
  const [m, n] = shape.slice(-2) as [number, number];
  const row = tf.reshape(tf.range(0, m), [m, 1]);
  const column = tf.reshape(tf.range(0, n), [1, n]);
  return tf.sub(column, row);
}
