import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { firstSlots, ownerName, type Slot } from './optimizerSlots.ts';
import { isAutomaticName, variableNamed } from './variable.ts';

/** The variables that have state, by position; undefined for a disposed variable. */
export type Owners = readonly (Variable | undefined)[];

interface Record {
  /** The array of slots that the owners were noted for. `setWeights` replaces it with another array. */
  readonly slots: readonly (Slot | undefined)[];
  readonly owners: (Variable | undefined)[];
}

/** The state that all copies of this package in a program share. */
interface Shared {
  readonly records: WeakMap<Optimizer, Record>;
  readonly restored: WeakSet<Optimizer>;
  readonly computing: WeakSet<Variable>;
  /** True once there is a variable in `computing`. */
  isComputing: boolean;
}

const KEY = Symbol.for('tfjs-parametrize.optimizers/1');
const globals = globalThis as unknown as { [KEY]?: Shared };
globals[KEY] ??= {
  records: new WeakMap(),
  restored: new WeakSet(),
  computing: new WeakSet(),
  isComputing: false,
};
const shared = globals[KEY];

/** Notes that parametrized tensors are computed from these variables. Steps that train them are guarded. */
export function markComputing(variables: readonly Variable[]): void {
  for (const variable of variables) {
    shared.computing.add(variable);
    shared.isComputing = true;
  }
}

/** False until the first tensor is parametrized. */
export const isComputing = (): boolean => shared.isComputing;

/** True if a parametrized tensor is or was computed from one of these variables. */
export const concernsUs = (...lists: readonly Owners[]): boolean =>
  lists.some((list) => list.some((variable) => variable !== undefined && shared.computing.has(variable)));

/** Notes that the state of an optimizer was set from outside. */
export function noteRestored(optimizer: Optimizer): void {
  shared.restored.add(optimizer);
}

/**
 * Returns the variables that the state of an optimizer was made for.
 *
 * Note [Owners of slots]. tfjs keeps state by position in the list of a step. No field says which variable a slot
 * belongs to. tfjs writes the name that the variable had when the slot was made. After `setWeights` these names come
 * from another run of the program, where they may have belonged to other variables. So this file notes the owners after
 * each step that makes state, when the names are certain. State from `setWeights` has no owners until the next list.
 *
 * @returns undefined if the optimizer has no state, `'restored'` if the owners are unknown
 */
export function ownersOf(optimizer: Optimizer): Owners | 'restored' | undefined {
  const slots = firstSlots(optimizer);
  if (slots === undefined) return undefined;
  const record = shared.records.get(optimizer);
  if (record?.slots === slots) return complete(record);
  if (record !== undefined || shared.restored.has(optimizer)) return 'restored';
  return complete(enter(optimizer, slots, []));
}

/** Notes the owners of all slots of an optimizer. */
export function setOwners(optimizer: Optimizer, owners: Owners): void {
  const slots = firstSlots(optimizer);
  shared.restored.delete(optimizer);
  if (slots === undefined) shared.records.delete(optimizer);
  else enter(optimizer, slots, [...owners]);
}

/** Remembers what is noted about the owners of an optimizer. Returns a function that restores it. */
export function rememberOwners(optimizer: Optimizer): () => void {
  const record = shared.records.get(optimizer);
  const isRestored = shared.restored.has(optimizer);
  return () => {
    if (record === undefined) shared.records.delete(optimizer);
    else shared.records.set(optimizer, record);
    if (isRestored) shared.restored.add(optimizer);
    else shared.restored.delete(optimizer);
  };
}

/**
 * Notes the owners of the slots that a step made.
 *
 * @param variables - the variables of the step, in its order
 */
export function noteStep(optimizer: Optimizer, variables: () => Owners): void {
  const slots = firstSlots(optimizer);
  if (slots === undefined) return;
  const record = shared.records.get(optimizer);
  if (record?.slots === slots && record.owners.length >= slots.length) return;
  if (ownersOf(optimizer) !== 'restored') return;
  // tfjs has just used the restored state by position.
  const used = variables();
  setOwners(
    optimizer,
    slots.map((_, i) => used[i]),
  );
}

/**
 * Returns the owners of restored state, given the variables of the next step or synchronization. They are found by name
 * if the program chose all names and each variable exists, else by position.
 *
 * @param variables - undefined for a disposed variable
 * @returns undefined if the state fits in neither way
 */
export function ownersOfRestored(optimizer: Optimizer, variables: Owners): Owners | undefined {
  const slots = firstSlots(optimizer)!;
  const byName = new Map(variables.map((variable) => [variable?.name, variable]));
  const named = slots.map((slot) => {
    const name = slot === undefined ? '' : ownerName(slot);
    return isAutomaticName(name) ? undefined : byName.get(name);
  });
  const fits = (owner: Variable | undefined, i: number): boolean =>
    owner === undefined || tf.util.arraysEqual(owner.shape, slots[i]?.variable.shape ?? owner.shape);
  if (named.every((owner, i) => owner !== undefined && fits(owner, i))) return named;
  return variables.length === slots.length && variables.every(fits) ? variables : undefined;
}

function enter(optimizer: Optimizer, slots: readonly (Slot | undefined)[], owners: (Variable | undefined)[]) {
  const record: Record = { slots, owners };
  shared.records.set(optimizer, record);
  return record;
}

/** Adds the owners of newer slots, by their names. */
function complete({ slots, owners }: Record): Owners {
  for (let i = owners.length; i < slots.length; i++) {
    const slot = slots[i];
    owners.push(slot === undefined ? undefined : variableNamed(ownerName(slot)));
  }
  return owners;
}
