import { choleskyFactor } from '../../ops/float64/choleskyFactor.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';

/** True if a symmetric matrix plus a multiple of I is positive definite: if it has a Cholesky factor in float64. */
export function isPositiveDefinite({ data, shape }: ReadTensor, shift: number): boolean {
  const n = shape[0]!;
  const shifted = data.slice();
  for (let i = 0; i < n; i++) shifted[i * n + i]! += shift;
  return choleskyFactor(shifted, n) !== null;
}
