import type { Tensor } from '@tensorflow/tfjs-core';
import { axisIn } from '../../core/axes.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import type { OptionDefinition } from '../../parametrize/definition.ts';

/** The axis or axes of the norm of a constraint, as in `tf.constraints`. */
export type NormAxis = number | readonly number[];

/** The option values: an axis, or a list of different axes. */
export const normAxes: Pick<OptionDefinition<NormAxis>, 'expected' | 'accepts'> = {
  expected:
    'an axis or different axes. Pass the axes that each norm runs over: 0 for the columns of a kernel',
  accepts(axis) {
    const axes = [axis].flat();
    return axes.length > 0 && axes.every(Number.isInteger) && new Set(axes).size === axes.length;
  },
};

/**
 * Returns the axes for a tensor, counted from the front.
 *
 * @throws {@link ParametrizeError} `OPTION` if the tensor lacks one
 */
export function axesOf(caller: string, axes: readonly number[], { shape, rank }: Tensor): number[] {
  return axes.map((axis) => {
    const found = axisIn(axis, rank);
    if (found !== undefined) return found;
    throw refusal(
      'OPTION',
      caller,
      `axis ${axis} is out of range for shape ${formatShape(shape)}: expected an axis from ${-rank} to ${rank - 1}`,
    );
  });
}
