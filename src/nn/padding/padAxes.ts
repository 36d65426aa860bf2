import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import type { Pair } from '../../ops/convolution/correlate.ts';

/** The content of padding, with torch's names. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** The modes that use elements of the tensor itself. */
export type EdgePaddingMode = Exclude<PaddingMode, 'zeros'>;

/** Every {@link PaddingMode}. */
export const paddingModes: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular'];

/**
 * Pads adjacent axes of a tensor with its own elements.
 *
 * It consists of slices, joins and products with constants, which can be differentiated any number of times on every
 * backend. `tf.mirrorPad` has no gradient on wasm.
 *
 * @param firstAxis - the axis that the first pair belongs to
 * @throws {@link ParametrizeError} `SHAPE` if an axis is too short for the padding
 */
export function padAxes(
  caller: string,
  x: Tensor,
  firstAxis: number,
  pads: readonly Pair[],
  mode: EdgePaddingMode,
): Tensor {
  checkReach(caller, x.shape, firstAxis, pads, mode);
  // The cpu backend cannot slice an empty tensor.
  if (x.size === 0) return tf.reshape(x, paddedShape(x.shape, firstAxis, pads));
  return pads.reduce((padded: Tensor, pair, i) => padAxis(padded, firstAxis + i, pair, mode), x);
}

function padAxis(x: Tensor, axis: number, [before, after]: Pair, mode: EdgePaddingMode): Tensor {
  const length = x.shape[axis]!;
  const outer = tf.util.sizeFromShape(x.shape.slice(0, axis));
  const inner = tf.util.sizeFromShape(x.shape.slice(axis + 1));
  const rows = tf.reshape(x, [outer, length, inner]);
  const part = (start: number, size: number) => tf.slice(rows, [0, start, 0], [outer, size, inner]);
  const added = {
    reflect: {
      before: () => tf.reverse(part(1, before), 1),
      after: () => tf.reverse(part(length - 1 - after, after), 1),
    },
    replicate: {
      before: () => tf.mul(part(0, 1), tf.ones([1, before, 1])),
      after: () => tf.mul(part(length - 1, 1), tf.ones([1, after, 1])),
    },
    circular: { before: () => part(length - before, before), after: () => part(0, after) },
  }[mode];
  const parts: Tensor[] = [rows];
  if (before > 0) parts.unshift(added.before());
  if (after > 0) parts.push(added.after());
  return tf.reshape(tf.concat(parts, 1), paddedShape(x.shape, axis, [[before, after]]));
}

/** Returns the padded shape. */
export function paddedShape(shape: readonly number[], firstAxis: number, pads: readonly Pair[]): number[] {
  return shape.map((length, axis) => length + sum(pads[axis - firstAxis] ?? [0, 0]));
}

const sum = ([before, after]: Pair): number => before + after;

/**
 * Refuses a shape that is too small to be padded with its own elements.
 *
 * @throws {@link ParametrizeError} `SHAPE`
 */
export function checkReach(
  caller: string,
  shape: readonly number[],
  firstAxis: number,
  pads: readonly Pair[],
  mode: EdgePaddingMode,
): void {
  pads.forEach((pair, i) => {
    const axis = firstAxis + i;
    const length = shape[axis]!;
    const reach = { reflect: length - 1, replicate: Number.POSITIVE_INFINITY, circular: length }[mode];
    if (length > 0 && Math.max(...pair) <= reach) return;
    throw refusal(
      'SHAPE',
      caller,
      `the input has shape ${formatShape(shape)}. '${mode}' repeats at most ${length === 0 ? 0 : reach} elements along axis ${axis}, and the padding there is ${formatShape(pair)}`,
      'Pass a larger input, or pad less.',
    );
  });
}
