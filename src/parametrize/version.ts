import type { Module } from '../nn/module.ts';

/** Counts the changes of a module that no variable shows; part of the key of every entry that depends on it. */
const VERSION: unique symbol = Symbol('version');

interface Versioned {
  [VERSION]?: number;
}

/** How often {@link raiseVersion} was called for this module. */
export const versionOf = (module: Module): number => (module as Versioned)[VERSION] ?? 0;

/** Makes every entry that depends on this module stale. */
export function raiseVersion(module: Module): void {
  (module as Versioned)[VERSION] = versionOf(module) + 1;
}
