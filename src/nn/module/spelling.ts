import { ParametrizeError } from '../../errors.ts';
import type { StateDict, StateDictLoading } from './hooks.ts';
import type { Module } from './module.ts';

/**
 * How a state dict names a normalized weight.
 *
 * - `modern`: `parametrizations.weight.original0`, … as torch 2 does.
 * - `legacy`: `weight_g` and `weight_v`, or `weight_orig`, `weight_u` and `weight_v`, as torch's old hooks do. What they
 *   do not know keeps its modern keys.
 * - `folded`: `weight`, its value, as of a model that was never parametrized.
 */
export type Spelling = 'modern' | 'legacy' | 'folded';

/** Options of {@link Module.stateDict}. */
export interface StateDictOptions {
  /** How normalized weights are named. Default: as the module has them. */
  readonly spelling?: Spelling;
}

/** What knows the spellings: a contract that a higher folder fills, because modules know nothing of normalization. */
export interface Spellings {
  /** The state dict in one spelling; with `folded` the tensors are the caller's. */
  write(module: Module, spelling: Spelling): StateDict;
  /** Respells what a map has for the own tensors of one module as that module has it. */
  read(module: Module, loading: StateDictLoading): void;
}

let registered: Spellings | undefined;

/** Fills the contract. */
export function registerSpellings(spellings: Spellings): void {
  registered = spellings;
}

/** What {@link registerSpellings} was given, if it was called. */
export const registeredSpellings = (): Spellings | undefined => registered;

/**
 * The state dict in one spelling.
 *
 * @throws {@link ParametrizeError} `OPTION` for a spelling that does not exist
 */
export function spelledStateDict(module: Module, spelling: Spelling): StateDict {
  const known = ['modern', 'legacy', 'folded'];
  if (!known.includes(spelling) || registered === undefined) {
    throw new ParametrizeError(
      'OPTION',
      `stateDict: spelling is '${String(spelling)}', it must be one of ${known.map((name) => `'${name}'`).join(', ')}.`,
    );
  }
  return registered.write(module, spelling);
}
