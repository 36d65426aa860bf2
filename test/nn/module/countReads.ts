import type { Module } from '../../../src/nn/index.ts';
import { releaseField } from '../../../src/nn/module/heldVariables.ts';

/** Replaces fields by non-enumerable computed properties, as a parametrization does, and counts how often each is read. */
export function countReads(module: Module, names: readonly string[]): Record<string, number> {
  const reads: Record<string, number> = {};
  for (const name of names) {
    const value: unknown = Reflect.get(module, name);
    reads[name] = 0;
    releaseField(module, name);
    Object.defineProperty(module, name, {
      get: () => {
        reads[name]! += 1;
        return value;
      },
      enumerable: false,
      configurable: true,
    });
  }
  return reads;
}
