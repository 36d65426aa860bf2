import { refusal } from './errors.ts';
import { formatShape } from './shapes.ts';

/**
 * Returns an axis counted from the front; a negative axis counts from the end. Undefined if the axis does not exist.
 */
export const axisIn = (axis: number, rank: number): number | undefined =>
  axis < -rank || axis >= rank ? undefined : axis < 0 ? axis + rank : axis;

/**
 * Returns the axis, counted from the front, of a `dim` that may be negative: -1 is the last axis.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the tensor has no such axis
 */
export function resolveDim(caller: string, name: string, dim: number, shape: readonly number[]): number {
  // A scalar counts as having one axis, as in torch.
  const rank = Math.max(shape.length, 1);
  const axis = axisIn(dim, rank);
  if (axis !== undefined) return axis;
  throw refusal(
    'SHAPE',
    caller,
    `${name} is ${dim}, but the input has shape ${formatShape(shape)}`,
    `Pass a dim from ${-rank} to ${rank - 1}.`,
  );
}
