import { everyPath } from '../../nn/module/fields.ts';
import { hooks } from '../../nn/module/hooks.ts';
import type { Module } from '../../nn/module/module.ts';
import { plainKeys } from '../../nn/stateDict/stateKeys.ts';

/** The keys that are known: a set, or an object that decides it. */
export interface KnownKeys {
  has(key: string): boolean;
}

/** Every key under which the state of a module may stand in a file, in any key format. */
export function knownKeys(model: Module): KnownKeys {
  const tensors = new Set(Object.keys(model.stateDict()).flatMap(plainKeys));
  return { has: (key) => plainKeys(key).some((plain) => tensors.has(plain)) };
}

/** True if a module, or one in it, has a hook that may take other keys than {@link knownKeys}. */
export const hasLoadingHooks = (model: Module): boolean =>
  everyPath(model).some(([, module]) => hooks(module, 'loadStateDictPre').length > 0);
