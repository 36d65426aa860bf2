import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { normalNumbers } from '../../nn/init/random.ts';
import { plainMatMul } from '../../ops/matrix/matMul.ts';
import type { MatrixLayout } from './matrixLayout.ts';

/**
 * Refuses a rank that the matrices of a layout cannot have.
 *
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function checkRank(caller: string, rank: number, { short, shape }: MatrixLayout): void {
  if (rank <= short) return;
  throw refusal(
    'SHAPE',
    caller,
    `rank ${rank} is above the shorter side of the matrices of shape ${formatShape(shape)}`,
    `Pass a rank of at most ${short}.`,
  );
}

/** Draws matrices of a rank: products of normal numbers, so that each row has a length of about 1. */
export function sampleOfRank(layout: MatrixLayout, rank: number): Tensor {
  const { count, rows, columns } = layout;
  const scale = 1 / Math.sqrt(Math.sqrt(rank * columns));
  const factor = (size: number): Tensor => normalNumbers([count, size, rank], scale);
  return layout.tensor(plainMatMul(factor(rows), factor(columns), false, true));
}
