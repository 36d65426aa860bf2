import { gram, transposed } from '../../ops/float64/product.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { isPositiveDefinite } from './isPositiveDefinite.ts';

/** True if all singular values of a matrix are below a limit: if `limit²·I − WᵀW` is positive definite. */
export function hasSingularValuesUpTo({ data, shape }: ReadTensor, limit: number): boolean {
  const [m, n] = shape as [number, number];
  const products = m < n ? gram(transposed(data, m, n), n, m) : gram(data, m, n);
  return isPositiveDefinite(
    { data: products.map((x) => -x), shape: [Math.min(m, n), Math.min(m, n)] },
    limit ** 2,
  );
}
