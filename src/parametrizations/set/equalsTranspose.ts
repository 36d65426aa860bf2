import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { largest, matricesOf } from './slices.ts';

/**
 * Returns true if matrices equal their transposes times a sign: 1 for symmetric matrices, −1 for skew-symmetric ones.
 *
 * @param tolerance - the accepted difference, relative to the largest element
 */
export function equalsTranspose(value: ReadTensor, sign: 1 | -1, tolerance: number): boolean {
  const matrices = matricesOf(value);
  if (matrices === null || value.shape.at(-1) !== value.shape.at(-2)) return false;
  return matrices.every(({ data, shape }) => {
    const n = shape[0]!;
    const bound = tolerance * largest(data);
    return data.every((x, i) => Math.abs(x - sign * data[(i % n) * n + Math.floor(i / n)]!) <= bound);
  });
}
