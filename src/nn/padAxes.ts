import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, ParametrizeError } from '../errors.ts';
import type { Pair } from '../linalg/correlate.ts';

/** What padding consists of, in torch's words. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** Every {@link PaddingMode}. */
export const paddingModes: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular'];

/**
 * Puts elements before and after each of several neighbouring axes, or crops where a number is negative.
 *
 * Composed of slices, joins and products with constants, which can be differentiated any number of times on every
 * backend; `tf.mirrorPad` has no gradient on wasm.
 *
 * @param firstAxis - the axis that the first pair belongs to
 * @throws {@link ParametrizeError} `SHAPE` if an axis is too short to be mirrored or wrapped that far
 */
export function padAxes(
  caller: string,
  x: Tensor,
  firstAxis: number,
  pads: readonly Pair[],
  mode: Exclude<PaddingMode, 'zeros'>,
): Tensor {
  pads.forEach((pair, i) => {
    checkReach(caller, x.shape, firstAxis + i, pair, mode);
  });
  return pads.reduce((padded: Tensor, pair, i) => padAxis(padded, firstAxis + i, pair, mode), x);
}

function padAxis(x: Tensor, axis: number, pair: Pair, mode: Exclude<PaddingMode, 'zeros'>): Tensor {
  const length = x.shape[axis]!;
  const [before, after] = pair.map((pad) => Math.max(pad, 0)) as [number, number];
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
  const padded = parts.length === 1 ? rows : tf.concat(parts, 1);
  const [cropBefore, cropAfter] = pair.map((pad) => Math.max(-pad, 0)) as [number, number];
  const size = length + pair[0] + pair[1];
  const cropped =
    cropBefore + cropAfter === 0 ? padded : tf.slice(padded, [0, cropBefore, 0], [outer, size, inner]);
  return tf.reshape(cropped, [...x.shape.slice(0, axis), size, ...x.shape.slice(axis + 1)]);
}

function checkReach(
  caller: string,
  shape: readonly number[],
  axis: number,
  pair: Pair,
  mode: Exclude<PaddingMode, 'zeros'>,
): void {
  const length = shape[axis]!;
  const reach = {
    reflect: length - 1,
    replicate: length === 0 ? 0 : Number.POSITIVE_INFINITY,
    circular: length,
  };
  if (Math.max(...pair) > reach[mode]) {
    throw new ParametrizeError(
      'SHAPE',
      `${caller}: the input has shape ${formatShape(shape)}, of which at most ${reach[mode]} elements of axis ${axis} can be repeated with '${mode}', but the padding there is ${formatShape(pair)}. Pass a larger input, or less padding.`,
    );
  }
  checkLeft(caller, shape, axis, pair);
}

/**
 * Refuses to crop everything.
 *
 * @throws {@link ParametrizeError} `SHAPE`
 */
function checkLeft(caller: string, shape: readonly number[], axis: number, pair: Pair): void {
  if (shape[axis]! + pair[0] + pair[1] >= 1) return;
  throw new ParametrizeError(
    'SHAPE',
    `${caller}: the input has shape ${formatShape(shape)}, of whose axis ${axis} the padding ${formatShape(pair)} leaves nothing. Pass a larger input, or crop less.`,
  );
}
