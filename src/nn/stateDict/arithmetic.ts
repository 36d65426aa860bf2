import type { Shaped } from './hookKeys.ts';

/**
 * The operations in formulas of {@link HookKeys}. They run on tensors of tfjs, or on the numbers of a file without a
 * backend.
 */
export interface Arithmetic<A extends Shaped> {
  /** `x / ‖x‖`, with the norm over some axes; zero where x is zero. */
  unit(x: A, axes: readonly number[]): A;
  /** x, or x divided by its largest element if squares of large numbers are not representable. */
  scaled(x: A): A;
  /** `x · y`, where y is broadcast along axes of length 1, or is a scalar. */
  mul(x: A, y: A): A;
  /** `x / y` for a y with one element, or x if y is zero. */
  div(x: A, y: A): A;
  /** The sum of `x · y` over some axes, which stay with length 1. */
  sumOfProduct(x: A, y: A, axes: readonly number[]): A;
  /** The same elements in another shape. */
  reshape(x: A, shape: readonly number[]): A;
  /** The item with the largest size. Each size has one element. */
  largest(items: readonly A[], sizes: readonly A[]): A;
}
