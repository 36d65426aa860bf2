import { luPivots } from '../../ops/float64/luPivots.ts';
import { gram, transposed } from '../../ops/float64/product.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';

/**
 * Returns true if a matrix has orthonormal columns, or rows if it is wide: no number of `QᵀQ − I` is above twice the
 * tolerance, which is the change of `QᵀQ` if a singular value is off by the tolerance.
 */
export function isOrthonormal({ data, shape }: ReadTensor, tolerance: number): boolean {
  const [m, n] = shape as [number, number];
  const [long, short] = [Math.max(m, n), Math.min(m, n)];
  const products = gram(m < n ? transposed(data, m, n) : data, long, short);
  return products.every((x, i) => Math.abs(x - (i % (short + 1) === 0 ? 1 : 0)) <= 2 * tolerance);
}

/** Returns the sign of the determinant of a square matrix: 1, −1, or 0 if it is singular. */
export const determinantSign = ({ data, shape }: ReadTensor): number => luPivots(data, shape[0]!).sign;
