import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { KeyMapping } from '../stateDict/keyMapping.ts';
import type { Module } from './module.ts';
import { rawOf } from './rawOf.ts';

/** Takes a registered hook off again. */
export interface HookHandle {
  /** Removes the hook; a second call does nothing. */
  remove(): void;
}

/** Runs before `forward`; an array that it returns replaces the arguments. */
export type ForwardPreHook<M extends Module = Module> = (
  module: M,
  args: unknown[],
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
) => unknown[] | undefined | void;

/** Runs after `forward`; anything but undefined and null that it returns replaces the output. */
export type ForwardHook<M extends Module = Module> = (module: M, args: unknown[], output: unknown) => unknown;

/** The state that a state-dict pre-hook may inspect and change before the keys are matched. */
export interface StateDictLoading {
  /** The map as it will be matched; entries may be renamed, added or deleted. It is a copy: the caller's map stays. */
  readonly state: Map<string, Tensor>;
  /** The path of the hook's module in the keys, with its dot: `encoder.0.`, or the empty string at the top. */
  readonly prefix: string;
  /** Adds a renaming to the report of `loadStateDict`. */
  mapped(mapping: KeyMapping): void;
  /**
   * Names something that is wrong with the map: nothing will be loaded, and the error lists it with all other problems.
   *
   * @param keys - keys of the map and of the module that it is about, and that are not named as missing or unexpected
   * too
   * @param remedy - what to do about it; whole sentences
   */
  problem(text: string, keys?: readonly string[], remedy?: string): void;
}

/** Runs before `loadStateDict` matches keys, children after their parents. Tensors that it makes are disposed after. */
export type LoadStateDictPreHook<M extends Module = Module> = (module: M, loading: StateDictLoading) => void;

/**
 * A function that runs when a module is disposed, before its variables are. It frees resources outside of its fields.
 */
type DisposeHook = (module: Module) => void;

/** The report of `loadStateDict`. */
export interface LoadStateDictReport {
  /** Renamings that pre-hooks made. */
  readonly mapped: readonly KeyMapping[];
  /** Keys of the module that the map lacks; empty if `strict`. */
  readonly missingKeys: readonly string[];
  /** Keys of the map that the module lacks; empty if `strict`. */
  readonly unexpectedKeys: readonly string[];
}

/** The state dict of a module: live variables by torch's keys. */
export type StateDict = NamedTensorMap;

interface HookLists {
  readonly forwardPre: Set<{ readonly hook: ForwardPreHook }>;
  readonly forward: Set<{ readonly hook: ForwardHook }>;
  readonly loadStateDictPre: Set<{ readonly hook: LoadStateDictPreHook }>;
  readonly dispose: Set<{ readonly hook: DisposeHook }>;
}

// Beside the modules, not in them: a field would be copied by reference with the module, and the copy's hooks would
// then be the source's.
const hooksOf = new WeakMap<object, HookLists>();

const changes = new WeakMap<object, number>();
let allChanges = 0;

/**
 * The number of times that hooks of a module were added or removed. After each, its `call` may compute something else.
 */
export const hookChanges = (module: Module): number => changes.get(module) ?? 0;

/** The same number for all modules together. */
export const hookChangesInAll = (): number => allChanges;

function changed(module: Module): void {
  changes.set(module, hookChanges(module) + 1);
  allChanges++;
}

type HookOf<K extends keyof HookLists> = HookLists[K] extends Set<{ readonly hook: infer H }> ? H : never;

/** The hooks of one module and kind, in the order of their registration; those that they register run the next time. */
export function hooks<K extends keyof HookLists>(module: Module, kind: K): readonly HookOf<K>[] {
  const list = hooksOf.get(module)?.[kind] as Set<{ readonly hook: HookOf<K> }> | undefined;
  return list === undefined ? [] : Array.from(list, ({ hook }) => hook);
}

/** Adds a hook; the same function may be added twice. */
export function addHook<K extends keyof HookLists>(host: Module, kind: K, hook: HookOf<K>): HookHandle {
  const module = rawOf(host);
  let lists = hooksOf.get(module);
  if (lists === undefined) {
    lists = { forwardPre: new Set(), forward: new Set(), loadStateDictPre: new Set(), dispose: new Set() };
    hooksOf.set(module, lists);
  }
  const list = lists[kind] as Set<{ readonly hook: unknown }>;
  const entry = { hook };
  list.add(entry);
  changed(module);
  const remove = (): void => {
    if (list.delete(entry)) changed(module);
  };
  return { remove };
}

/** Removes a hook by its function: also from a copy of the module that it was added to. */
export function dropHook<K extends keyof HookLists>(host: Module, kind: K, hook: HookOf<K>): void {
  const module = rawOf(host);
  const list = hooksOf.get(module)?.[kind] as Set<{ readonly hook: unknown }> | undefined;
  for (const entry of list ?? []) {
    if (entry.hook === hook && list!.delete(entry)) changed(module);
  }
}

/** Registers the hooks of one module on its copy; hooks get the module as argument, so they act on the copy there. */
export function copyHooks(from: object, to: object): void {
  const lists = hooksOf.get(from);
  if (lists === undefined) return;
  hooksOf.set(to, {
    forwardPre: new Set([...lists.forwardPre].map(({ hook }) => ({ hook }))),
    forward: new Set([...lists.forward].map(({ hook }) => ({ hook }))),
    loadStateDictPre: new Set([...lists.loadStateDictPre].map(({ hook }) => ({ hook }))),
    dispose: new Set([...lists.dispose].map(({ hook }) => ({ hook }))),
  });
}
