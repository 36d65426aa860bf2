import { hookChanges, hookChangesInAll } from '../nn/module/hooks.ts';
import type { Module } from '../nn/module/module.ts';
import { rawOf } from '../nn/module/rawOf.ts';

// Beside the modules, not in them: a registration leaves the keys of its host alone.
const versions = new WeakMap<Module, number>();
let epoch = 0;

/** Counts the changes of a module that no variable shows: calls of {@link raiseVersion}, and its hooks. */
export const versionOf = (module: Module): number => raised(module) + hookChanges(module);

/** Counts those of all modules: while this stays the same, so does every version. */
export const versionEpoch = (): number => epoch + hookChangesInAll();

/** Makes every entry that depends on this module stale. */
export function raiseVersion(module: Module): void {
  versions.set(rawOf(module), raised(rawOf(module)) + 1);
  epoch++;
}

const raised = (module: Module): number => versions.get(module) ?? 0;
