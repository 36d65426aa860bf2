import type { ParametrizeError } from '../../core/errors.ts';
import type { Pair } from '../../ops/convolution/correlate.ts';
import { numberForEach } from '../layout/numberForEach.ts';

/** The padding of a sequence: one number for both ends, or `[left, right]`. */
export type Padding1d = number | readonly [left: number, right: number];

/** The padding of an image: one number for all edges, or `[left, right, top, bottom]`. */
export type Padding2d = number | readonly [left: number, right: number, top: number, bottom: number];

/**
 * Returns the padding of every edge, in torch's order: the last axis first.
 *
 * @throws {@link ParametrizeError} `OPTION` if the value is neither a number nor an array with a number for each edge,
 * or if a number is not an integer in range
 */
export const edges = <Edges extends readonly number[]>(
  caller: string,
  rank: number,
  padding: number | Edges,
  minimum: number,
): Edges => {
  const expected = rank === 1 ? '[left, right]' : '[left, right, top, bottom]';
  return numberForEach(caller, 'padding', padding, { count: 2 * rank, minimum, expected });
};

/** Returns the edges by axis, the first axis first. */
export function pairsOfEdges(padding: readonly number[]): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i < padding.length; i += 2) pairs.unshift([padding[i]!, padding[i + 1]!]);
  return pairs;
}
