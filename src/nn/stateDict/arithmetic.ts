import type { Shaped } from './hookKeys.ts';

/**
 * The operations in formulas of {@link HookKeys}: on tensors of tfjs, or on the numbers of a file, without a backend.
 */
export interface Arithmetic<A extends Shaped> {
  /** `x / ‖x‖`, the norm over some axes; zero where x is. */
  unit(x: A, axes: readonly number[]): A;
  /** x, or x divided by its largest element where squares of large numbers are not representable. */
  scaled(x: A): A;
  /** `x · y`, where y has length 1 along the axes that it is repeated along, or is a scalar. */
  mul(x: A, y: A): A;
  /** `x / y` for a y of one element; x where that is zero. */
  div(x: A, y: A): A;
  /** The sum of `x · y` over some axes, which stay with length 1. */
  sumOfProduct(x: A, y: A, axes: readonly number[]): A;
  /** The same elements in another shape. */
  reshape(x: A, shape: readonly number[]): A;
  /** The item whose size is the largest; sizes have one element each. */
  largest(items: readonly A[], sizes: readonly A[]): A;
}
