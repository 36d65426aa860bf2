import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { largest } from './slices.ts';

/** True if a square matrix is symmetric up to a part of its largest element. */
export function isSymmetric({ data, shape }: ReadTensor, tolerance: number): boolean {
  const n = shape[0]!;
  const bound = tolerance * largest(data);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) if (Math.abs(data[i * n + j]! - data[j * n + i]!) > bound) return false;
  }
  return true;
}
