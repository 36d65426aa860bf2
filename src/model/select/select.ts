import type { FoundCandidate } from './candidate.ts';
import { conditionsOf, isOfType, matchOf } from './conditions.ts';
import type { Selector } from './selector.ts';
import { whyUnmatched } from './whyUnmatched.ts';

/** The tensors that a selector takes from a model. */
export interface Selection {
  /** The candidates, with the path by which each was matched, in the order of the model. */
  readonly selected: readonly FoundCandidate[];
  /** Facts about the conditions that nothing fulfils; empty if all is well. */
  readonly unmatched: readonly string[];
}

/**
 * Finds the tensors that fulfil every condition of a selector.
 *
 * @param candidates - every tensor of the model
 * @param byDefault - the tensors of a matched host where the selector gives no name: its main weight, or all
 * @throws {@link ParametrizeError} `PATTERN`, `OPTION`
 */
export function select(
  caller: string,
  candidates: readonly FoundCandidate[],
  selector: Selector,
  byDefault: 'main' | 'all',
): Selection {
  const conditions = conditionsOf(caller, selector, byDefault);
  const { patterns, excluded, types, names } = conditions;
  const unused = {
    patterns: new Set(patterns),
    types: new Set(types),
    names: new Set(names === null || names.includes('*') ? [] : names),
  };
  const selected = candidates.flatMap((candidate): FoundCandidate[] => {
    const fitting = types?.filter((type) => isOfType(candidate, type));
    if (fitting?.length === 0) return [];
    const matches = patterns.flatMap((pattern) => {
      const match = matchOf(pattern, candidate, conditions);
      return match === null ? [] : [{ pattern, path: match }];
    });
    if (matches.length === 0 || excluded.some((pattern) => pattern.match(candidate) !== null)) return [];
    for (const { pattern } of matches) unused.patterns.delete(pattern);
    for (const type of fitting ?? []) unused.types.delete(type);
    unused.names.delete(candidate.tensor);
    return [{ ...candidate, path: matches[0]!.path }];
  });
  const unmatched = whyUnmatched(candidates, conditions, unused);
  return { selected, unmatched };
}
