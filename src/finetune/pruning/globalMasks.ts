import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { type FoundCandidate, tensorPath } from '../../model/select/candidate.ts';
import { checkCount, keptCount, type PruningAmount } from '../../parametrizations/masks/amount.ts';
import { livingOf, uniform } from '../../parametrizations/masks/nextMask.ts';
import { withoutLowest } from '../../parametrizations/masks/withoutLowest.ts';
import { inspectAfter } from '../../parametrize/chain/inspectAfter.ts';
import { siteOf } from '../../parametrize/host/site.ts';
import { maskIn } from './pruningTargets.ts';

/** The choice of the elements that are hidden on several tensors together. */
export interface GlobalChoice extends PruningAmount {
  readonly method?: 'magnitude' | 'random' | undefined;
  readonly regrow?: boolean | undefined;
  /** Returns the importance scores of a tensor, or null for its values. */
  readonly scores?: ((candidate: FoundCandidate) => Tensor | null | undefined) | undefined;
}

/**
 * Returns a mask for each of several tensors, with one order of all their elements. It runs in a tidy. No number is
 * read.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE`, `DISPOSED`; the errors of chains
 */
export function globalMasks(
  caller: string,
  targets: readonly FoundCandidate[],
  { method, regrow = false, scores, ...amount }: GlobalChoice,
): Tensor[] {
  const parts = targets.map((candidate) => {
    const { host, tensor } = candidate;
    const site = siteOf(host, tensor);
    const list = site.registration?.list;
    const present = maskIn(list);
    const given = scores?.(candidate) ?? null;
    if (given !== null) checkScores(caller, candidate, given);
    const value = present === null ? site.inspect(caller) : inspectAfter(list!, present.at);
    const score = method === 'random' ? uniform([...value.shape]) : tf.abs(given ?? value);
    return { shape: value.shape, score, living: present === null ? null : livingOf(present.map.mask) };
  });
  const flat = (tensors: readonly Tensor[]): Tensor =>
    tf.concat(
      tensors.map((one) => tf.reshape(one, [one.size])),
      0,
    );
  const hasHidden = !regrow && parts.some(({ living }) => living !== null);
  const living = hasHidden ? flat(parts.map((part) => part.living ?? tf.ones(part.shape))) : null;
  const all = flat(parts.map(({ score }) => score));
  checkCount(caller, amount, all.size, 'elements');
  const mask = withoutLowest(all, living, keptCount(amount, all.size, living));
  const masks = tf.split(
    mask,
    parts.map(({ score }) => score.size),
  );
  return masks.map((one, i) => tf.reshape(one, parts[i]!.shape));
}

function checkScores(caller: string, candidate: FoundCandidate, given: unknown): void {
  const path = tensorPath(candidate);
  if (!(given instanceof tf.Tensor)) {
    throw refusal(
      'OPTION',
      caller,
      `scores returned ${typeName(given)} for '${path}'`,
      'Return a tensor, or null.',
    );
  }
  if (given.isDisposed) {
    throw refusal('DISPOSED', caller, `the scores of '${path}' have been disposed`, 'Return a live tensor.');
  }
  if (tf.util.arraysEqual(given.shape, [...candidate.shape])) return;
  throw refusal(
    'SHAPE',
    caller,
    `the scores of '${path}' have shape ${formatShape(given.shape)}, the tensor has shape ${formatShape(candidate.shape)}`,
  );
}
