import { pivotedQrDiagonal } from '../../ops/float64/pivotedQrDiagonal.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';

/** True if the rank of a matrix is at most `rank`, up to a part of its largest column. */
export function hasRank({ data, shape }: ReadTensor, rank: number, tolerance: number): boolean {
  const [m, n] = shape as [number, number];
  if (rank >= Math.min(m, n)) return true;
  const diagonal = pivotedQrDiagonal(data, m, n);
  return diagonal[rank]! <= tolerance * diagonal[0]!;
}
