import { luPivots } from '../../ops/float64/luPivots.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { gramOf } from './gramOf.ts';

/**
 * Returns true if a matrix has orthonormal columns, or rows if it is wide: no number of `QᵀQ − I` is above twice the
 * tolerance, which is the change of `QᵀQ` if a singular value is off by the tolerance.
 */
export function isOrthonormal(matrix: ReadTensor, tolerance: number): boolean {
  const { data, shape } = gramOf(matrix);
  const next = shape[0]! + 1;
  return data.every((x, i) => Math.abs(x - (i % next === 0 ? 1 : 0)) <= 2 * tolerance);
}

/** Returns the sign of the determinant of a square matrix: 1, −1, or 0 if it is singular. */
export const determinantSign = ({ data, shape }: ReadTensor): number => luPivots(data, shape[0]!).sign;
