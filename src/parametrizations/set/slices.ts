import { axisIn } from '../../core/axes.ts';
import type { ReadTensor } from '../../parametrize/setDefinition.ts';

/** Returns the matrices of a read tensor, [m, n] each, in its last two axes; null if it has fewer than two axes. */
export function matricesOf({ data, shape }: ReadTensor): ReadTensor[] | null {
  if (shape.length < 2) return null;
  const matrix = shape.slice(-2);
  const size = matrix[0]! * matrix[1]!;
  const count = size === 0 ? 0 : data.length / size;
  return Array.from({ length: count }, (_, i) => ({
    data: data.subarray(i * size, (i + 1) * size),
    shape: matrix,
  }));
}

/**
 * Returns the vectors of a read tensor along some axes: one for each index of the other axes. An axis that the tensor
 * lacks gives null.
 *
 * @param axes - negative axes count from the end
 */
export function vectorsAlong({ data, shape }: ReadTensor, axes: readonly number[]): Float64Array[] | null {
  const along = new Set<number>();
  for (const axis of axes) {
    const found = axisIn(axis, shape.length);
    if (found === undefined) return null;
    along.add(found);
  }
  const length = shape.reduce((product, size, axis) => (along.has(axis) ? product * size : product), 1);
  const count = length === 0 ? 0 : data.length / length;
  const vectors = Array.from({ length: count }, () => new Float64Array(length));
  const filled = new Array<number>(count).fill(0);
  for (let index = 0; index < data.length; index++) {
    let [rest, slice, stride] = [index, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis]!;
      if (!along.has(axis)) {
        slice += (rest % size) * stride;
        stride *= size;
      }
      rest = Math.floor(rest / size);
    }
    vectors[slice]![filled[slice]!++] = data[index]!;
  }
  return vectors;
}

/** Returns the largest absolute value; 0 for no values. */
export function largest(values: Float64Array): number {
  let max = 0;
  for (const value of values) max = Math.max(max, Math.abs(value));
  return max;
}

/** Returns the Euclidean length of each vector along some axes; null for an axis that the tensor lacks. */
export const lengthsAlong = (value: ReadTensor, axes: readonly number[]): number[] | null =>
  vectorsAlong(value, axes)?.map((vector) =>
    Math.sqrt(vector.reduce((sum, element) => sum + element * element, 0)),
  ) ?? null;

/** The mean, and the mean of the squared differences from it. */
export interface VectorMoments {
  readonly mean: number;
  readonly variance: number;
}

/** Returns the moments of a vector. */
export function momentsOf(vector: Float64Array): VectorMoments {
  const mean = vector.reduce((sum, element) => sum + element, 0) / vector.length;
  const squares = vector.reduce((sum, element) => sum + (element - mean) ** 2, 0);
  return { mean, variance: squares / vector.length };
}

/** True if the mean of a vector is zero, relative to its largest element. */
export const isCentered = (vector: Float64Array, tolerance: number): boolean =>
  Math.abs(momentsOf(vector).mean) <= tolerance * largest(vector);

/** Returns the vectors along all axes but some; null for an axis that the tensor lacks. */
export const vectorsBut = (value: ReadTensor, kept: readonly number[]): Float64Array[] | null => {
  const rank = value.shape.length;
  const isKept = new Set(kept.map((axis) => axisIn(axis, rank)));
  if (isKept.has(undefined)) return null;
  return vectorsAlong(
    value,
    value.shape.map((_, axis) => axis).filter((axis) => !isKept.has(axis)),
  );
};

/** True for a square matrix or a batch of them. */
export const isSquareBatch = ({ shape }: ReadTensor): boolean =>
  shape.length >= 2 && shape.at(-1) === shape.at(-2);
