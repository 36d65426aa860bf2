import type { MatrixLayout, MatrixOptions } from './matrixLayout.ts';

/** The shapes of the factors of matrices, with `rank` columns each. */
export interface FactorShapes {
  /** [..., m, rank], or [rows, rank] for one matrix of `matrix: 'dim'`. */
  readonly left: number[];
  /** [..., n, rank], or the other axes of the weight and rank for one matrix of `matrix: 'dim'`. */
  readonly right: number[];
}

/** Returns the shapes of the factors of the matrices of a layout. */
export function factorShapes(
  { batchShape, rows, columns, otherAxes }: MatrixLayout,
  rank: number,
): FactorShapes {
  return { left: [...batchShape, rows, rank], right: [...(otherAxes ?? [...batchShape, columns]), rank] };
}

/** Returns the shape of a weight from the shapes of its factors: the inverse of {@link factorShapes}. */
export function shapeOfFactors(
  left: readonly number[],
  right: readonly number[],
  { matrix = 'last', dim = 0 }: MatrixOptions,
): number[] {
  if (matrix === 'last' || right.length === 2) return [...left.slice(0, -1), right.at(-2)!];
  const others = right.slice(0, -1);
  const axis = dim < 0 ? dim + others.length + 1 : dim;
  return [...others.slice(0, axis), left[0]!, ...others.slice(axis)];
}
