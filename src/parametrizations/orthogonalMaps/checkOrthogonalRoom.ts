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
 * @param others - the number of tensors of the size of the weight that the rest of the map holds
 * @param remedy - a way that needs less memory
 * @throws {@link ParametrizeError} `OUT_OF_MEMORY`
 */
export function checkOrthogonalRoom(
  caller: string,
  { short, long, count, shape }: MatrixLayout,
  { orthogonalMap }: OrthogonalFactor,
  hasBase: boolean,
  others = 0,
  remedy = 'Dispose tensors that are not needed, or use another backend.',
): void {
  const [matrices, weights] = MATRICES[typeof orthogonalMap === 'function' ? 'matrixExp' : orthogonalMap];
  const size = orthogonalMap === 'matrixExp' ? Math.min(long, 2 * short) : short;
  const bases = hasBase ? BASES * long ** 2 : 0;
  checkRoom(
    caller,
    4 * count * (bases + matrices * size ** 2 + (weights + others) * short * long),
    `a weight of shape ${formatShape(shape)}${hasBase ? ` with a base of [${long}, ${long}]` : ''}`,
    remedy,
  );
}
