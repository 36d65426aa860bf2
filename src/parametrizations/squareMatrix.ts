import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';

/** Throws unless a tensor is a square matrix or a batch of them. */
export function checkSquare(caller: string, x: Tensor): void {
  const [m, n] = x.shape.slice(-2);
  if (x.rank >= 2 && m === n) return;
  throw refusal(
    'SHAPE',
    caller,
    `expected a square matrix or a batch of them, got shape ${formatShape(x.shape)}`,
    'Register it on a square weight.',
  );
}
