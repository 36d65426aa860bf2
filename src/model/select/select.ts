import { ParametrizeError } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import type { FoundCandidate } from './candidate.ts';
import { type CompiledPattern, compilePattern } from './pattern.ts';
import { type HostType, listOf, type Selector } from './selector.ts';
import { whyUnmatched } from './whyUnmatched.ts';

/** The tensors that a selector takes from a model. */
export interface Selection {
  /** The candidates, with the path by which each was matched, in the order of the model. */
  readonly selected: readonly FoundCandidate[];
  /** Facts about the conditions that nothing fulfils; empty if all is well. */
  readonly unmatched: readonly string[];
}

/** A selector that was compiled: its conditions on candidates. */
export interface Conditions {
  readonly patterns: readonly CompiledPattern[];
  readonly excluded: readonly CompiledPattern[];
  readonly types: readonly HostType[] | null;
  readonly names: readonly string[] | null;
  /** True if the candidate is one of the tensors that the selector means in a host that it matches. */
  isWanted(candidate: FoundCandidate): boolean;
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

/** The path by which a pattern takes a candidate, or null. */
export function matchOf(
  pattern: CompiledPattern,
  candidate: FoundCandidate,
  { names, isWanted }: Conditions,
): string | null {
  const match = pattern.match(candidate);
  if (match === null) return null;
  const isTaken = match.names === 'host' || names !== null ? isWanted(candidate) : true;
  return isTaken ? match.path : null;
}

/** True if the host of a candidate is of a class, or of a class of that name. */
export const isOfType = ({ host, type }: FoundCandidate, wanted: HostType): boolean =>
  typeof wanted === 'string' ? type === wanted : host instanceof wanted;

function conditionsOf(caller: string, selector: Selector, byDefault: 'main' | 'all'): Conditions {
  const { match = '**', type, exclude = [], name } = selector;
  const names = name === undefined ? null : listOf(name);
  const types = type === undefined ? null : listOf(type);
  for (const one of types ?? []) checkType(caller, one);
  for (const one of names ?? []) checkName(caller, one);
  return {
    patterns: listOf(match).map((pattern) => compilePattern(caller, pattern)),
    excluded: listOf(exclude).map((pattern) => compilePattern(caller, pattern)),
    types,
    names,
    isWanted: ({ tensor, isMain }) =>
      names === null ? byDefault === 'all' || isMain : names.includes('*') || names.includes(tensor),
  };
}

function checkType(caller: string, type: unknown): void {
  if (typeof type === 'string' || typeof type === 'function') return;
  throw new ParametrizeError('OPTION', {
    caller,
    fact: `a type is ${typeName(type)}`,
    remedy: "Pass a class or the name of a class: nn.Linear, 'Dense'.",
  });
}

function checkName(caller: string, name: unknown): void {
  if (typeof name === 'string') return;
  throw new ParametrizeError('OPTION', {
    caller,
    fact: `a name is ${typeName(name)}`,
    remedy: "Pass the name of a tensor, or '*' for all.",
  });
}
