import { hookChanges, hookChangesInAll } from '../nn/module/hooks.ts';
import type { Module } from '../nn/module/module.ts';
import { rawOf } from '../nn/module/rawOf.ts';

// The versions are not fields of the modules, because a registration must not change the keys of its host.
const versions = new WeakMap<Module, number>();
let epoch = 0;

/**
 * Counts the changes of a module that variables do not show: calls of {@link raiseVersion}, and changes of its hooks.
 */
export const versionOf = (module: Module): number => raised(module) + hookChanges(module);

/** Counts the changes of all modules. While this number stays the same, all versions do. */
export const versionEpoch = (): number => epoch + hookChangesInAll();

/** Makes every entry that depends on this module stale. */
export function raiseVersion(module: Module): void {
  versions.set(rawOf(module), raised(rawOf(module)) + 1);
  epoch++;
}

const raised = (module: Module): number => versions.get(module) ?? 0;
