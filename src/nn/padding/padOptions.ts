import { checkInteger } from '../../core/checkOptions.ts';
import { ParametrizeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import type { Pair } from '../../ops/convolution/correlate.ts';

/** Elements at the two ends of a sequence: one number for both, or `[left, right]`. */
export type Padding1d = number | readonly [left: number, right: number];

/** Elements at the four edges of an image: one number for all, or `[left, right, top, bottom]`. */
export type Padding2d = number | readonly [left: number, right: number, top: number, bottom: number];

/**
 * The padding with every edge written out, in torch's order: the last axis first.
 *
 * @throws {@link ParametrizeError} `OPTION` if it is neither a number nor one for each edge, or not an integer in range
 */
export function edges<Edges extends readonly number[]>(
  caller: string,
  rank: number,
  padding: number | Edges,
  minimum: number,
): Edges {
  if (!Array.isArray(padding)) {
    checkInteger(caller, 'padding', padding as number, minimum);
    return new Array<number>(2 * rank).fill(padding as number) as readonly number[] as Edges;
  }
  if (padding.length !== 2 * rank) {
    const order = rank === 1 ? '[left, right]' : '[left, right, top, bottom]';
    throw new ParametrizeError(
      'OPTION',
      `${caller}: padding is ${formatShape(padding)}, it must be one number or ${order}.`,
    );
  }
  for (const edge of padding) checkInteger(caller, 'an element of padding', edge, minimum);
  return [...padding] as readonly number[] as Edges;
}

/** The edges by axis, the first axis first. */
export function pairsOfEdges(padding: readonly number[]): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i < padding.length; i += 2) pairs.unshift([padding[i]!, padding[i + 1]!]);
  return pairs;
}
