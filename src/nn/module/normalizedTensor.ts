import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { HookKeys } from '../stateDict/hookKeys.ts';
import { partsOf } from '../stateDict/stateKeys.ts';
import { namedState } from './fields.ts';
import type { Module } from './module.ts';

/** The key of the {@link HookKeys} of a map, which define its names in old state dicts. */
export const HOOK_KEYS: unique symbol = Symbol.for('tfjs-parametrize.hookKeys') as never;

/** The mark of a child module that holds computations. State dicts name their variables by the computed tensors. */
export const HOLDS_COMPUTATIONS: unique symbol = Symbol.for('tfjs-parametrize.holdsComputations') as never;

/** The key of the {@link TensorTie} of a computation. */
export const TIE: unique symbol = Symbol.for('tfjs-parametrize.tie') as never;

/** The tensor that a computation reads. The computation has no variables then. */
export interface TensorTie {
  readonly host: object;
  readonly name: string;
  readonly isTransposed: boolean;
  /** True if the variable that the tied tensor had was a buffer. */
  readonly wasBuffer: boolean;
  /** Returns the error of a function that would change the tied tensor. */
  refusal(caller: string): Error;
  /** Returns the variable of the source; null if the source is parametrized or transposed. */
  variable(): Variable | null;
}

/** A module that computes a tensor of another module from its own variables: the part of it that other modules use. */
export interface Computation extends Module {
  /** The number of maps. */
  readonly length: number;
  /** The maps. Each may have {@link HOOK_KEYS}. */
  readonly [index: number]: unknown;
  /** @internal */
  readonly [TIE]?: TensorTie;
  /** @internal Computes the value without side effects. */
  inspect(): Tensor;
  /** @internal Returns the values of the variables for which the value is the given tensor. Nothing is written. */
  stateFor(caller: string, value: Tensor, variables: readonly Variable[]): Tensor[];
}

/** A computed tensor of an object. */
export interface ComputedTensor {
  readonly list: Computation;
  /** True if its variables are fields of the module under the old names. */
  readonly isHooked: boolean;
}

/** A computed tensor of a module in terms of state dicts. */
export interface NormalizedTensor extends ComputedTensor {
  /** The name of the tensor in its module. */
  readonly name: string;
  /** The names of its parts in torch's older API; null for any other computation. */
  readonly hookKeys: HookKeys | null;
  /** Its variables, with their modern names below `parametrizations.<name>.`. */
  readonly state: readonly [string, Variable][];
}

// The computed tensors of each object. The code that computes a tensor enters it here, so no import is needed for its
// side effect. A bundle that can compute a tensor can also name it.
const computedTensors = new WeakMap<object, Map<string, ComputedTensor>>();

/** Returns the tensor that a computed tensor is tied to, or undefined. */
export const tieOf = (list: object | null): TensorTie | undefined => (list as Computation | null)?.[TIE];

/** Notes that a tensor of an object is computed. */
export function enterComputed(host: object, name: string, tensor: ComputedTensor): void {
  const byName = computedTensors.get(host) ?? new Map<string, ComputedTensor>();
  computedTensors.set(host, byName.set(name, tensor));
}

/** Undoes {@link enterComputed}. */
export function deleteComputed(host: object, name: string): void {
  computedTensors.get(host)?.delete(name);
}

/** Returns the tensors of an object that are tied to others, by name. */
export const tiesOn = (host: object): [name: string, tie: TensorTie][] =>
  [...(computedTensors.get(host) ?? [])].flatMap(([name, { list }]) => {
    const tie = tieOf(list);
    return tie === undefined ? [] : [[name, tie]];
  });

/** Returns the computed tensors of an object, without the objects below it. */
export const normalizedTensors = (host: object): NormalizedTensor[] =>
  [...(computedTensors.get(host) ?? [])].map(([name, { list, isHooked }]) => {
    const state = namedState(list);
    return { name, list, hookKeys: hookKeysOf(list, state), isHooked, state };
  });

function hookKeysOf(list: Computation, state: readonly (readonly [string, Variable])[]): HookKeys | null {
  if (list.length !== 1) return null;
  const map = list[0];
  if (typeof map !== 'object' || map === null) return null;
  const hookKeys = (map as { [HOOK_KEYS]?: HookKeys })[HOOK_KEYS];
  if (hookKeys === undefined) return null;
  // The old names do not suffice for a tensor that is a vector, which has no singular vectors, or for a parametrized
  // original.
  const names = partsOf(hookKeys);
  return state.length === names.length && state.every(([key]) => names.includes(key)) ? hookKeys : null;
}
