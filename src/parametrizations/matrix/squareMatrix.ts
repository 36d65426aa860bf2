import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';

/** Throws unless a tensor is a square matrix or a batch of them. */
export function checkSquare(caller: string, x: { readonly shape: readonly number[] }): void {
  const [m, n] = x.shape.slice(-2);
  if (x.shape.length >= 2 && m === n) return;
  throw refusal(
    'SHAPE',
    caller,
    `expected a square matrix or a batch of them, got shape ${formatShape(x.shape)}`,
    'Register it on a square weight.',
  );
}

/** Returns the last two axes of a tensor as a batch of matrices, [b, m, n]. */
export const batchOf = (x: Tensor): Tensor => tf.reshape(x, [-1, ...x.shape.slice(-2)]);
