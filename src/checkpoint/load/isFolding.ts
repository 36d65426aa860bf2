import { knownHookKeys } from '../../nn/stateDict/hookKeys.ts';

/** Whether a rule of a mapping says that a value was computed of parts. */
export const isFolding = (rule: string): boolean =>
  knownHookKeys().some((hookKeys) => hookKeys.rule === rule);
