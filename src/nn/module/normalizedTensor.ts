import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import type { HookKeys } from '../stateDict/hookKeys.ts';
import { partsOf } from '../stateDict/stateKeys.ts';
import { namedState } from './fields.ts';
import type { Module } from './module.ts';

/** The key under which a map has its {@link HookKeys}: the contract by which maps have names in old state dicts. */
export const HOOK_KEYS: unique symbol = Symbol.for('tfjs-parametrize.hookKeys') as never;

/** The mark of a child module that holds computations; their variables have the names of the tensors in state dicts. */
export const HOLDS_COMPUTATIONS: unique symbol = Symbol.for('tfjs-parametrize.holdsComputations') as never;

/** A module that computes a tensor of another module from its own variables. Modules know only this part of it. */
export interface Computation extends Module {
  /** The number of maps. */
  readonly length: number;
  /** The maps. Each may have {@link HOOK_KEYS}. */
  readonly [index: number]: unknown;
  /** @internal The value, with no side effects. */
  inspect(): Tensor;
  /** @internal The values of the variables with which the value is the given tensor; nothing is written. */
  stateFor(caller: string, value: Tensor, variables: readonly Variable[]): Tensor[];
}

/** A computed tensor of an object, as it stands there. */
export interface ComputedTensor {
  readonly list: Computation;
  /** True if its variables are fields of the module under the old names. */
  readonly isHooked: boolean;
}

/** A computed tensor of a module, as state dicts see it. */
export interface NormalizedTensor extends ComputedTensor {
  /** The name of the tensor in its module. */
  readonly name: string;
  /** The names of its parts in torch's older API; null for any other computation. */
  readonly hookKeys: HookKeys | null;
  /** Its variables: the modern name below `parametrizations.<name>.`, and the variable. */
  readonly state: readonly [string, Variable][];
}

// Beside the objects, as hooks are. What computes a tensor enters itself here, so that no import has to be made for its
// effect: a bundle that can compute tensors can also name them.
const computedTensors = new WeakMap<object, Map<string, ComputedTensor>>();

/** Notes that a tensor of an object is computed. */
export function enterComputed(host: object, name: string, tensor: ComputedTensor): void {
  const byName = computedTensors.get(host) ?? new Map<string, ComputedTensor>();
  computedTensors.set(host, byName.set(name, tensor));
}

/** Takes back what {@link enterComputed} did. */
export function deleteComputed(host: object, name: string): void {
  computedTensors.get(host)?.delete(name);
}

/** The computed tensors of an object, not of those below it. */
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
  // Without the vectors of a vector, or with an original that is parametrized itself, the old names do not suffice.
  const names = partsOf(hookKeys);
  return state.length === names.length && state.every(([key]) => names.includes(key)) ? hookKeys : null;
}
