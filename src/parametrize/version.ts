import type { Module } from '../nn/module.ts';

// Beside the modules, not in them: a registration leaves the keys of its host alone.
const versions = new WeakMap<Module, number>();
let epoch = 0;

/** How often {@link raiseVersion} was called for this module: counts the changes that no variable shows. */
export const versionOf = (module: Module): number => versions.get(module) ?? 0;

/** How often it was called at all: while this stays the same, so does every version. */
export const versionEpoch = (): number => epoch;

/** Makes every entry that depends on this module stale. */
export function raiseVersion(module: Module): void {
  versions.set(module, versionOf(module) + 1);
  epoch++;
}
