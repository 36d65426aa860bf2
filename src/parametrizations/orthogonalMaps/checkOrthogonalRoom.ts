import { formatShape } from '../../core/shapes.ts';
import { checkRoom } from '../../parametrize/checkRoom.ts';
import type { MatrixLayout } from '../matrix/matrixLayout.ts';
import type { OrthogonalFactor } from './orthogonalFactor.ts';

/**
 * The numbers of matrices that are held at once: of size N × N, where N is the size that the map computes with, and of
 * the size of the weight. A function counts as the map that takes most.
 */
const MATRICES = {
  matrixExp: [150, 45],
  cayley: [40, 45],
  householder: [40, 45],
  polar: [40, 45],
} as const;

/** The number of matrices of the size of `base` that are held at once. */
const BASES = 8;

/**
 * Throws unless there is room for the tensors that a registration and a gradient of an orthogonal factor hold at once.
 *
 * @param base - `'square'` for a base of n × n, `'thin'` for one of n × k, null for none
 * @param others - the number of tensors of the size of the weight that the rest of the map holds
 * @param remedy - a way that needs less memory
 * @throws {@link ParametrizeError} `OUT_OF_MEMORY`
 */
export function checkOrthogonalRoom(
  caller: string,
  { short, long, count, shape }: MatrixLayout,
  { orthogonalMap }: OrthogonalFactor,
  base: 'square' | 'thin' | null,
  others = 0,
  remedy = 'Dispose tensors that are not needed, or use another backend.',
): void {
  const [matrices, weights] = MATRICES[typeof orthogonalMap === 'function' ? 'matrixExp' : orthogonalMap];
  // With a thin base, the map has the coordinates of the base above those of the weight.
  const rows = base === 'thin' ? long + short : long;
  const size = orthogonalMap === 'matrixExp' ? Math.min(rows, 2 * short) : short;
  const bases = base === 'square' ? BASES * long ** 2 : 0;
  checkRoom(
    caller,
    4 * count * (bases + matrices * size ** 2 + (weights + others) * short * rows),
    `a weight of shape ${formatShape(shape)}${base === 'square' ? ` with a base of [${long}, ${long}]` : ''}`,
    remedy,
  );
}
