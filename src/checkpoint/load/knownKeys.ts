import { everyPath } from '../../nn/module/fields.ts';
import { hooks } from '../../nn/module/hooks.ts';
import type { Module } from '../../nn/module/module.ts';
import { keysIn, legacyKey, modernKey, normalizationNames } from '../../nn/stateDict/normalization.ts';

/** Parts that have no old names: of other parametrizations of the catalog. */
const others = ['original', '0.base'];

/** Every key under which the state of a module may stand in a file, in any key format. */
export function knownKeys(model: Module): Set<string> {
  const keys = new Set<string>();
  for (const key of Object.keys(model.stateDict())) {
    keys.add(key);
    const { prefix, name } = modernKey(key) ?? legacyKey(key);
    keys.add(prefix + name);
    for (const part of others) keys.add(`${prefix}parametrizations.${name}.${part}`);
    for (const normalization of normalizationNames) {
      for (const isLegacy of [false, true]) {
        for (const known of keysIn(name, normalization, isLegacy)) keys.add(prefix + known);
      }
    }
  }
  return keys;
}

/** Whether a module, or one in it, has a hook that may take other keys than {@link knownKeys}. */
export const hasLoadingHooks = (model: Module): boolean =>
  everyPath(model).some(([, module]) => hooks(module, 'loadStateDictPre').length > 0);
