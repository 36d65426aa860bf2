import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../../core/axes.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import type { OptionDefinition } from '../../parametrize/definition.ts';

/** The axis or axes along which slices have a norm or moments of their own; null or `[]` for the whole tensor. */
export type KeptAxes = number | readonly number[] | null;

/** The option values: an axis, a list of axes, or null. */
export const keptAxes: Required<Pick<OptionDefinition<KeptAxes>, 'default' | 'expected' | 'accepts'>> = {
  default: 0,
  expected: 'an axis, axes or null',
  accepts: (dim) => dim === null || [dim].flat().every(Number.isInteger),
};

/** Returns the option values as a list. */
export const listOf = (dim: KeptAxes): readonly number[] => (dim === null ? [] : [dim].flat());

/** The inverse of {@link listOf}. */
export const optionOf = (dim: readonly number[]): KeptAxes => (dim.length === 0 ? null : dim);

/**
 * Returns the axes of a tensor that a norm runs over: all but the kept axes.
 *
 * @throws {@link ParametrizeError} `OPTION` for an axis that the tensor lacks, or that is there twice
 */
export function reducedAxes(
  caller: string,
  dim: readonly number[],
  { shape, rank }: Pick<Tensor, 'shape' | 'rank'>,
): number[] {
  const kept = dim.map((axis) => {
    const found = axisIn(axis, rank);
    if (found !== undefined) return found;
    const range = rank === 0 ? 'null' : `an axis from ${-rank} to ${rank - 1}, or null`;
    throw refusal(
      'OPTION',
      caller,
      `dim ${axis} is out of range for shape ${formatShape(shape)}: expected ${range}`,
    );
  });
  if (new Set(kept).size < kept.length) {
    throw refusal('OPTION', caller, `dim [${dim.join(', ')}] names an axis twice`);
  }
  return shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
}

/** Returns the number of elements of a slice over some axes. */
export const sizeAlong = ({ shape }: Pick<Tensor, 'shape'>, axes: readonly number[]): number =>
  axes.reduce((product, axis) => product * shape[axis]!, 1);

/** Returns a tensor with one element as a scalar if the whole weight is one slice. */
export const scalarIf = (isWhole: boolean, x: Tensor): Tensor => (isWhole ? tf.reshape(x, []) : x);

/**
 * Returns the axes of a tensor that a mean runs over: all but the kept axes. A slice of fewer than two elements is
 * refused, because nothing is left of it without the mean.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE`
 */
export function centeredAxes(caller: string, dim: readonly number[], x: Tensor): number[] {
  const axes = reducedAxes(caller, dim, x);
  const size = sizeAlong(x, axes);
  if (size >= 2) return axes;
  throw refusal(
    'SHAPE',
    caller,
    `a slice of shape ${formatShape(x.shape)} has ${size} element${size === 1 ? '' : 's'}, and is zero without its mean`,
    'Pass a dim that leaves at least two elements in each slice.',
  );
}

/**
 * Refuses a g of other axes than those of the norms, which would be broadcast to a wrong weight.
 *
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function checkNorms(caller: string, g: Tensor, v: Tensor, axes: readonly number[]): void {
  const isOne = g.size === 1 && v.shape.every((size, axis) => size === 1 || axes.includes(axis));
  const isNorm = (size: number, axis: number): boolean => size === (axes.includes(axis) ? 1 : v.shape[axis]);
  if (isOne || (g.rank === v.rank && g.shape.every(isNorm))) return;
  const wanted = axes.length === v.rank ? [] : v.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const fact = `g has shape ${formatShape(g.shape)}, expected ${formatShape(wanted)} for v ${formatShape(v.shape)}`;
  throw refusal(
    'SHAPE',
    caller,
    fact,
    'Pass the dim of these originals, or let the right inverse make others.',
  );
}
