import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { gramOf } from './gramOf.ts';
import { isPositiveDefinite } from './isPositiveDefinite.ts';

/**
 * True if all singular values of a matrix are between two numbers: if `most²·I − WᵀW` and `WᵀW − least²·I` are positive
 * definite.
 */
export function hasSingularValues(matrix: ReadTensor, least: number, most: number): boolean {
  const { data, shape } = gramOf(matrix);
  if (!isPositiveDefinite({ data: data.map((x) => -x), shape }, most ** 2)) return false;
  return least <= 0 || isPositiveDefinite({ data, shape }, -(least ** 2));
}
