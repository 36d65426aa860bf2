import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { transpose } from './transpose.ts';

// Both functions read a matrix row by row with rows of one element less than there are diagonals, so that each row
// begins one diagonal earlier. tf.gather would do the same, but wasm has no kernel for its gradient.

/**
 * Returns the matrices with constant diagonals: `W[i, j] = d[j − i + rows − 1]`.
 *
 * **Shape**: d: [b, rows + columns − 1]. Result: [b, rows, columns].
 * **Gradient**: of any order.
 */
export function fromDiagonals(d: Tensor, rows: number): Tensor {
  const [b, length] = d.shape as [number, number];
  const columns = length - rows + 1;
  if (rows === 1) return tf.reshape(d, [b, 1, columns]);
  // The repeated rows of a tall matrix would take more memory than the matrix.
  if (rows > columns) return transpose(fromDiagonals(tf.reverse(d, 1), columns));
  const rotated = tf.concat(
    [tf.slice(d, [0, rows - 1], [b, columns]), tf.slice(d, [0, 0], [b, rows - 1])],
    1,
  );
  const repeated = tf.mul(tf.reshape(rotated, [b, 1, length]), tf.ones([1, rows, 1]));
  const flat = tf.slice(tf.reshape(repeated, [b, rows * length]), [0, 0], [b, rows * (length - 1)]);
  return tf.slice(tf.reshape(flat, [b, rows, length - 1]), [0, 0, 0], [b, rows, columns]);
}

/**
 * Returns the sums along the diagonals of matrices: the transpose of {@link fromDiagonals}.
 *
 * **Shape**: W: [b, rows, columns]. Result: [b, rows + columns − 1].
 */
export function diagonalSums(W: Tensor): Tensor {
  const [b, rows, columns] = W.shape as [number, number, number];
  if (rows === 1) return tf.reshape(W, [b, columns]);
  if (rows > columns) return tf.reverse(diagonalSums(transpose(W)), 1);
  const length = rows + columns - 1;
  const wide = tf.pad(W, [
    [0, 0],
    [0, 0],
    [0, length - 1 - columns],
  ]);
  const flat = tf.pad(tf.reshape(wide, [b, rows * (length - 1)]), [
    [0, 0],
    [0, rows],
  ]);
  const sums = tf.sum(tf.reshape(flat, [b, rows, length]), 1);
  return tf.concat([tf.slice(sums, [0, columns], [b, rows - 1]), tf.slice(sums, [0, 0], [b, columns])], 1);
}
