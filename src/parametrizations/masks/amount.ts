import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import type { OptionDefinition } from '../../parametrize/definition.ts';
import { integer } from '../options.ts';

/** The number of elements that a mask hides. Exactly one is given. */
export interface PruningAmount {
  /** The share of the elements that are not hidden yet, from 0 to 1. */
  readonly fraction?: number | undefined;
  /** The number of further elements. */
  readonly count?: number | undefined;
  /** The share of all elements that are hidden afterwards, from 0 to 1. */
  readonly sparsity?: number | undefined;
}

/** Accepts numbers from 0 to 1. */
const share: Pick<OptionDefinition<number>, 'expected' | 'accepts'> = {
  expected: 'a number from 0 to 1',
  accepts: (value) => typeof value === 'number' && value >= 0 && value <= 1,
};

/** The definitions of the options of an amount. */
export const amountOptions = {
  fraction: share,
  count: integer(0),
  sparsity: share,
};

/** Rounds a number of at least 0 to the nearest integer, and halves to the even one, as torch. */
export function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/**
 * Refuses a count above the number of elements.
 *
 * @param unit - the elements, in the plural
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkCount(caller: string, { count = 0 }: PruningAmount, size: number, unit: string): void {
  if (count <= size) return;
  throw refusal('OPTION', caller, `count is ${count}, but there are ${size} ${unit}`);
}

/**
 * Returns the number of elements that stay, if the hidden ones are the last: a number, or a tensor if it depends on
 * the number of elements that live.
 *
 * @param size - the number of all elements
 * @param living - 1 for each element that is not hidden, else 0; null if none is hidden
 */
export function keptCount(
  { fraction, count, sparsity }: PruningAmount,
  size: number,
  living: Tensor | null,
): number | Tensor {
  if (sparsity !== undefined) return size - roundHalfToEven(sparsity * size);
  const keptOf = (alive: number): number => alive - (count ?? roundHalfToEven(fraction! * alive));
  if (living === null) return keptOf(size);
  const alive = tf.sum(living);
  if (count !== undefined) return tf.sub(alive, count);
  // The products are float64, as torch's. A tensor has the result for each number of living elements.
  const table = tf.tensor1d(Float32Array.from({ length: size + 1 }, (_, number) => keptOf(number)));
  return tf.gather(table, tf.cast(tf.round(alive), 'int32'));
}
