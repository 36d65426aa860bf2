import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import type { KeyMapping } from '../stateDict/keyMapping.ts';
import type { Module } from './module.ts';
import { rawOf } from './rawOf.ts';

/** The handle of a registered hook. */
export interface HookHandle {
  /** Removes the hook; a second call does nothing. */
  remove(): void;
}

/** Runs before `forward`. A returned array replaces the arguments. */
export type ForwardPreHook<M extends Module = Module> = (
  module: M,
  args: unknown[],
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one
) => unknown[] | undefined | void;

/** Runs after `forward`. A returned value other than undefined and null replaces the output. */
export type ForwardHook<M extends Module = Module> = (module: M, args: unknown[], output: unknown) => unknown;

/** The argument of a state-dict pre-hook, which may change it before the keys are matched. */
export interface StateDictLoading {
  /** A copy of the map, which will be matched. Hooks may rename, add or delete entries. */
  readonly state: Map<string, Tensor>;
  /** The path of the hook's module in the keys, with its dot: `encoder.0.`, or the empty string at the top. */
  readonly prefix: string;
  /** Adds a renaming to the report of `loadStateDict`. */
  mapped(mapping: KeyMapping): void;
  /**
   * Reports a problem of the map. Nothing will be loaded, and the error lists all problems.
   *
   * @param keys - the keys of the map and of the module with the problem; the error does not list them as missing or
   * unexpected
   * @param remedy - the remedy, in whole sentences
   */
  problem(text: string, keys?: readonly string[], remedy?: string): void;
}

/**
 * Runs before `loadStateDict` matches keys, parents before children. Tensors that the hook makes are disposed
 * afterwards.
 */
export type LoadStateDictPreHook<M extends Module = Module> = (module: M, loading: StateDictLoading) => void;

/** Runs when a module is disposed, before its variables are disposed. It frees resources outside of the fields. */
type DisposeHook = (module: Module) => void;

/** The report of `loadStateDict`. */
export interface LoadStateDictReport {
  /** The renamings by pre-hooks. */
  readonly mapped: readonly KeyMapping[];
  /** The keys of the module that the map lacks; empty if `strict`. */
  readonly missingKeys: readonly string[];
  /** The keys of the map that the module lacks; empty if `strict`. */
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

// The lists are not fields of the modules, because a copy would share such a field with its source.
const hooksOf = new WeakMap<object, HookLists>();

const changes = new WeakMap<object, number>();
let allChanges = 0;

/** Counts how often hooks of a module were added or removed. After each change, `call` may compute another result. */
export const hookChanges = (module: Module): number => changes.get(module) ?? 0;

/** Counts the changes of hooks of all modules. */
export const hookChangesInAll = (): number => allChanges;

function changed(module: Module): void {
  changes.set(module, hookChanges(module) + 1);
  allChanges++;
}

type HookOf<K extends keyof HookLists> = HookLists[K] extends Set<{ readonly hook: infer H }> ? H : never;

/**
 * Returns the hooks of one module and kind, in the order of registration. Hooks that are registered during a run take
 * part in the next run.
 */
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

/** Removes a hook by its function, even from a copy of the module that it was added to. */
export function dropHook<K extends keyof HookLists>(host: Module, kind: K, hook: HookOf<K>): void {
  const module = rawOf(host);
  const list = hooksOf.get(module)?.[kind] as Set<{ readonly hook: unknown }> | undefined;
  for (const entry of list ?? []) {
    if (entry.hook === hook && list!.delete(entry)) changed(module);
  }
}

/** Registers the hooks of a module on its copy. Hooks get the module as an argument, so they act on the copy. */
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
