import type { ConvertedTie, TensorKey } from '../stateDict/tiedKeys.ts';
import type { Module } from './module.ts';

/** The work of state dicts for tensors that read other tensors. */
export interface TieState {
  /**
   * Returns the keys of the tensors that read a tensor below the same root, with the keys of those; without transposed
   * tensors.
   *
   * @param prefixes - the first prefix of each module
   */
  keysOf(prefixes: ReadonlyMap<Module, string>): [key: string, source: TensorKey][];
  /** Returns the transposed ones of these tensors. */
  transposed(prefixes: ReadonlyMap<Module, string>): ConvertedTie[];
}

let tieState: TieState | null = null;

/** Sets the work for tied tensors. A bundle without `tie` has none. */
export function setTieState(state: TieState): void {
  tieState = state;
}

/** Returns the work for tied tensors, or null while no tensor can be tied. */
export const tieStateOrNull = (): TieState | null => tieState;
