import { sizeOf } from '../../core/shapes.ts';
import type { Arithmetic } from './arithmetic.ts';
import type { HookKeys, Shaped } from './hookKeys.ts';

/**
 * `weight_orig`, `weight_u` and `weight_v`: `Y = W / σ`, `σ = uᵀMv`, where the rows of M are the slices of W along an
 * axis. The axis is the output axis if the vectors fit it. Otherwise it is the fitting axis with the largest σ, because
 * u and v were computed for that axis. torch before 1.0 did not save v.
 */
export const spectralNormKeys = {
  kind: 'spectralNorm',
  suffixes: { original: '_orig', '0._u': '_u', '0._v': '_v' },
  rule: 'W / σ',
  whole: 'original',
  unitVectors: ['0._u', '0._v'],
  fits({ original: W, '0._u': u, '0._v': v }, axes) {
    const rows = v!.shape.length === 1 ? rowAxes(W!, u!, v!.shape[0]) : [];
    return axes === undefined ? rows.length > 0 : axes.length === 1 && rows.includes(axes[0]!);
  },
  value({ original, '0._u': u, '0._v': v }, math, outputAxis) {
    const W = math.scaled(original!);
    const sigmas = preferred(rowAxes(W, u!, v!.shape[0]), outputAxis).map((axis) => {
      const columns = W.shape.map((size, other) => (other === axis ? 1 : size));
      return total(transposedProduct(W, axis, u!, math), math.reshape(v!, columns), math);
    });
    return math.div(W, math.largest(sigmas, sigmas));
  },
  unsaved: {
    fits: ({ original: W, '0._u': u }, value) =>
      String(W!.shape) === String(value.shape) && rowAxes(W!, u!).length > 0,
    shape: ({ original: W, '0._u': u }) => [sizeOf(W!.shape) / sizeOf(u!.shape)],
    // v is parallel to Mᵀu, uᵀMv = σ, and σ is the ratio of W to the value.
    from({ original, '0._u': u }, value, math, outputAxis) {
      const W = original!;
      const products = preferred(rowAxes(W, u!), outputAxis).map((axis) =>
        math.reshape(transposedProduct(W, axis, u!, math), [sizeOf(W.shape) / sizeOf(u!.shape)]),
      );
      const squares = products.map((product) => total(product, product, math));
      const sigma = math.div(total(W, W, math), total(W, value, math));
      return math.mul(math.largest(products, squares), math.div(sigma, math.largest(squares, squares)));
    },
  },
} satisfies HookKeys;

/**
 * Returns the axes of W that can be the rows of a matrix with a left singular vector u and a right one of a given
 * length.
 */
const rowAxes = (W: Shaped, u: Shaped, columns?: number): number[] =>
  u.shape.length === 1 && (columns === undefined || sizeOf(W.shape) === u.shape[0]! * columns)
    ? W.shape.flatMap((size, axis) => (size === u.shape[0] ? [axis] : []))
    : [];

/** Returns the output axis if it is among the axes, else all axes. */
const preferred = (axes: readonly number[], outputAxis?: number): readonly number[] =>
  outputAxis !== undefined && axes.includes(outputAxis) ? [outputAxis] : axes;

/** `Mᵀu` with the axes of W and length 1 along the axis of the rows. */
const transposedProduct = <A extends Shaped>(W: A, axis: number, u: A, math: Arithmetic<A>): A =>
  math.sumOfProduct(
    W,
    math.reshape(
      u,
      W.shape.map((size, other) => (other === axis ? size : 1)),
    ),
    [axis],
  );

/** Returns the sum of all products of elements, as a scalar. */
const total = <A extends Shaped>(x: A, y: A, math: Arithmetic<A>): A =>
  math.reshape(
    math.sumOfProduct(
      x,
      y,
      x.shape.map((_, axis) => axis),
    ),
    [],
  );
