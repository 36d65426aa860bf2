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
 * Returns `j − i` for each entry, [m, n], as constants, because tfjs has no gradient of a comparison that depends on x.
 * They are float32, because the wasm backend broadcasts float32 hundreds of times as fast as int32.
 */
function offsets({ shape }: Tensor): Tensor {
  const [m, n] = shape.slice(-2) as [number, number];
  const row = tf.reshape(tf.range(0, m), [m, 1]);
  const column = tf.reshape(tf.range(0, n), [1, n]);
  return tf.sub(column, row);
}
