import type { Tensor } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';

/** The axis or axes that a norm of a constraint runs over, as `tf.constraints` takes them. */
export type NormAxis = number | readonly number[];

/**
 * The axes of an option as a list.
 *
 * @throws {@link ParametrizeError} `OPTION` unless they are different integers
 */
export function normAxes(caller: string, axis: NormAxis): readonly number[] {
  const axes = [axis].flat() as number[];
  const isList = axes.length > 0 && axes.every(Number.isInteger) && new Set(axes).size === axes.length;
  if (isList) return axes;
  throw new ParametrizeError(
    'OPTION',
    `${caller}: axis is ${Array.isArray(axis) ? `[${axis.join(', ')}]` : String(axis)}, it must be an axis or different axes. Pass the axes that each norm runs over: 0 for the columns of a kernel.`,
  );
}

/**
 * The axes counted from the front, for a tensor.
 *
 * @throws {@link ParametrizeError} `OPTION` if the tensor lacks one
 */
export function axesOf(caller: string, axes: readonly number[], { shape, rank }: Tensor): number[] {
  return axes.map((axis) => {
    if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
    throw new ParametrizeError(
      'OPTION',
      `${caller}: axis ${axis} is out of range for shape ${formatShape(shape)}: expected an axis from ${-rank} to ${rank - 1}.`,
    );
  });
}

/** Axes as `toString` shows them. */
export const axesText = (axes: readonly number[]): string =>
  axes.length === 1 ? String(axes[0]) : `[${axes.join(', ')}]`;
