import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { numberForEach } from './numberForEach.ts';

// The checks of sizes and inputs of all layers over sequences (one spatial axis), images (two) and volumes (three).

const axisNames = ['length', 'height, width', 'depth, height, width'];

/**
 * Returns one number for each of `rank` axes.
 *
 * @throws {@link ParametrizeError} `OPTION` if the value is neither a number nor an array with a number for each axis,
 * or if a number is not an integer in range
 */
export const perAxis = <Size extends readonly number[]>(
  caller: string,
  rank: number,
  name: string,
  value: number | Size,
  minimum = 1,
): Size => {
  const expected = rank === 1 ? 'an array of one' : `${rank} numbers`;
  return numberForEach(caller, name, value, { count: rank, minimum, expected });
};

/** The checked properties of an input. A tensor has them. */
export type SpatialInput = Readonly<Pick<Tensor, 'rank' | 'shape' | 'dtype'>>;

/**
 * Refuses an input that does not have channels and `rank` spatial axes, with a batch or without, or is not float32.
 *
 * @throws {@link ParametrizeError} `SHAPE`, `DTYPE`
 */
export function checkSpatialInput(layer: object, x: SpatialInput, rank: number): void {
  if (x.rank !== rank + 1 && x.rank !== rank + 2) {
    const axes = axisNames[rank - 1]!;
    throw refusal(
      'SHAPE',
      typeName(layer),
      `the input has shape ${formatShape(x.shape)}, it must be [n, channels, ${axes}] or [channels, ${axes}]`,
      'Reshape the input.',
    );
  }
  if (x.dtype !== 'float32') {
    throw refusal(
      'DTYPE',
      typeName(layer),
      `the input has dtype ${x.dtype}, it must have float32`,
      "Cast it with tf.cast(x, 'float32').",
    );
  }
}

/**
 * Runs {@link checkSpatialInput}, and refuses a number of channels that differs from the layer's.
 *
 * @throws {@link ParametrizeError} `SHAPE`, `DTYPE`
 */
export function checkChannels(layer: { readonly inChannels: number }, x: SpatialInput, rank: number): void {
  checkSpatialInput(layer, x, rank);
  const channels = x.shape.at(-1 - rank);
  if (channels === layer.inChannels) return;
  throw refusal(
    'SHAPE',
    typeName(layer),
    `the input has shape ${formatShape(x.shape)}, that is ${channels} channels, but inChannels is ${layer.inChannels}`,
    `The channels come before ${axisNames[rank - 1]!}: transpose an input that has them last.`,
  );
}
