import { knownHookKeys } from '../../nn/stateDict/hookKeys.ts';
import { keysIn, legacyKey, modernKey } from '../../nn/stateDict/stateKeys.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import type { Selection } from './selectState.ts';

/**
 * Returns the recipe of a file with the paths of the model instead of the paths in the file. Entries for tensors that
 * are not selected are left out.
 */
export function matchedRecipe(recipe: readonly TensorRecipe[], { keys, skipped }: Selection): TensorRecipe[] {
  const keyOf = new Map([...keys].map(([key, name]) => [name, key]));
  const left = new Set(skipped);
  return recipe.flatMap((entry): TensorRecipe[] => {
    const { path, tensor } = entry;
    const prefix = path === '' ? '' : `${path}.`;
    const start = `${prefix}parametrizations.${tensor}.`;
    const legacy = knownHookKeys().flatMap((hookKeys) => keysIn(prefix + tensor, hookKeys, true));
    const isOwn = (name: string): boolean => name.startsWith(start) || legacy.includes(name);
    const found = [...keyOf].find(([name]) => isOwn(name));
    if (found === undefined) return [...left].some(isOwn) ? [] : [entry];
    const [name, key] = found;
    // If the key ends like the name, the rest is its path. An original has a path with several such ends.
    const own = name.slice(prefix.length);
    if (key === own || key.endsWith(`.${own}`)) return [{ ...entry, path: key.slice(0, -own.length - 1) }];
    const parts = name.startsWith(start) ? modernKey(key) : legacyKey(key);
    return parts === null ? [entry] : [{ ...entry, path: parts.prefix.slice(0, -1), tensor: parts.name }];
  });
}
