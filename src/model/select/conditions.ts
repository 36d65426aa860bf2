import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import type { FoundCandidate } from './candidate.ts';
import { type CompiledPattern, compilePattern } from './pattern.ts';
import { type HostType, listOf, type Selector } from './selector.ts';

/** A selector that was compiled: its conditions on candidates. */
export interface Conditions {
  readonly patterns: readonly CompiledPattern[];
  readonly excluded: readonly CompiledPattern[];
  readonly types: readonly HostType[] | null;
  readonly names: readonly string[] | null;
  /** True if the candidate is one of the tensors that the selector means in a host that it matches. */
  isWanted(candidate: FoundCandidate): boolean;
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

/**
 * Compiles the conditions of a selector.
 *
 * @throws {@link ParametrizeError} `PATTERN`, `OPTION`
 */
export function conditionsOf(caller: string, selector: Selector, byDefault: 'main' | 'all'): Conditions {
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
  throw refusal(
    'OPTION',
    caller,
    `a type is ${typeName(type)}`,
    "Pass a class or the name of a class: nn.Linear, 'Dense'.",
  );
}

function checkName(caller: string, name: unknown): void {
  if (typeof name === 'string') return;
  throw refusal(
    'OPTION',
    caller,
    `a name is ${typeName(name)}`,
    "Pass the name of a tensor, or '*' for all.",
  );
}
