import { gram, transposed } from '../../ops/float64/product.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';

/** Returns the products of all pairs of columns of a matrix, or of its rows if there are fewer: a square matrix. */
export function gramOf({ data, shape }: ReadTensor): ReadTensor {
  const [m, n] = shape as [number, number];
  const [long, short] = [Math.max(m, n), Math.min(m, n)];
  return { data: gram(m < n ? transposed(data, m, n) : data, long, short), shape: [short, short] };
}
