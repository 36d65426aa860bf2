import { joinPath } from '../../core/paths.ts';
import { knownHookKeys } from '../../nn/stateDict/hookKeys.ts';
import { keysIn, legacyKey, modernKey } from '../../nn/stateDict/stateKeys.ts';
import type { RecipeTie, TensorRecipe } from '../../stateDict/recipe.ts';
import type { OwnerPaths } from './ownerPaths.ts';
import type { Selection } from './selectState.ts';

/** A tensor of a recipe. */
type Place = Pick<RecipeTie, 'path' | 'tensor'>;

/**
 * Returns the recipe of a file with the paths of the model instead of the paths in the file. Entries for tensors that
 * are not selected are left out.
 *
 * @param owners - finds the layer of the model for a layer of the file
 */
export function matchedRecipe(
  recipe: readonly TensorRecipe[],
  { keys, skipped, prefix: all }: Selection,
  owners: OwnerPaths,
): TensorRecipe[] {
  const keyOf = new Map([...keys].map(([key, name]) => [name, key]));
  const left = new Set(skipped);
  const computed = ({ path, tensor }: Place): Place | null => {
    const prefix = path === '' ? '' : `${path}.`;
    const start = `${prefix}parametrizations.${tensor}.`;
    const legacy = knownHookKeys().flatMap((hookKeys) => keysIn(prefix + tensor, hookKeys, true));
    const isOwn = (name: string): boolean => name.startsWith(start) || legacy.includes(name);
    const found = [...keyOf].find(([name]) => isOwn(name));
    if (found === undefined) return [...left].some(isOwn) ? null : { path, tensor };
    const [name, key] = found;
    // If the key ends like the name, the rest is its path. An original has a path with several such ends.
    const own = name.slice(prefix.length);
    if (key === own || key.endsWith(`.${own}`)) return { path: key.slice(0, -own.length - 1), tensor };
    const parts = name.startsWith(start) ? modernKey(key) : legacyKey(key);
    return parts === null ? { path, tensor } : { path: parts.prefix.slice(0, -1), tensor: parts.name };
  };
  // The tensors of a tie may be plain, and the file need not have both.
  const tied = ({ path, tensor }: Place): Place | null => {
    const name = joinPath(path, tensor);
    const key = keyOf.get(name);
    if (key !== undefined) {
      const dot = key.lastIndexOf('.');
      return { path: key.slice(0, Math.max(dot, 0)), tensor: key.slice(dot + 1) };
    }
    const found = left.has(name) ? null : computed({ path, tensor });
    if (found?.path !== path || found.tensor !== tensor) return found;
    const owner = owners(path);
    if (owner !== null) return { path: owner, tensor };
    if (!`${path}.`.startsWith(all)) return null;
    return { path: path.slice(all.length), tensor };
  };
  return recipe.flatMap((entry): TensorRecipe[] => {
    const { tiedTo } = entry;
    const place = tiedTo === undefined ? computed(entry) : tied(entry);
    const source = tiedTo && tied(tiedTo);
    if (place === null || source === null) return [];
    return [{ ...entry, ...place, ...(tiedTo !== undefined && { tiedTo: { ...tiedTo, ...source } }) }];
  });
}
