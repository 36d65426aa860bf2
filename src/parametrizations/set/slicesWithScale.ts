import type { ReadTensor } from '../../parametrize/setDefinition.ts';
import { vectorsBut } from './slices.ts';

/** Returns the elements that share a scale; null if the tensor lacks an axis or has no groups of the size. */
export function slicesWithScale(
  value: ReadTensor,
  kept: readonly number[],
  groupDim: number,
  groupSize: number | undefined,
): Float64Array[] | null {
  if (groupSize === undefined) return vectorsBut(value, kept);
  const { data, shape } = value;
  const axis = groupDim < 0 ? groupDim + shape.length : groupDim;
  if (shape[axis] === undefined || shape[axis] % groupSize !== 0) return null;
  const split = [...shape.slice(0, axis), shape[axis] / groupSize, groupSize, ...shape.slice(axis + 1)];
  const moved = kept
    .map((one) => (one < 0 ? one + shape.length : one))
    .map((one) => (one > axis ? one + 1 : one));
  return vectorsBut({ data, shape: split }, [...moved, axis]);
}
