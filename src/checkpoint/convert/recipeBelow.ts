import { joinPath } from '../../core/paths.ts';
import { modernKey } from '../../nn/stateDict/stateKeys.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';

/** Returns the recipe of the modules below a path (with its dot), with relative paths. */
export const recipeBelow = (recipe: readonly TensorRecipe[], path: string): TensorRecipe[] =>
  recipe
    .filter((entry) => `${entry.path}.`.startsWith(path))
    .map((entry) => ({ ...entry, path: entry.path.slice(path.length) }));

/** Returns the recipe of some tensors, given by their plain names, and of the tensors that they are computed from. */
export const recipeOfTensors = (
  recipe: readonly TensorRecipe[],
  names: ReadonlySet<string>,
): TensorRecipe[] =>
  recipe.filter((entry) => {
    const own = joinPath(entry.path, entry.tensor);
    const above = modernKey(own);
    return names.has(above === null ? own : above.prefix + above.name);
  });

/**
 * Returns the recipe of each tensor, by its plain name, in the form for the `weight` of a separate module. Its own
 * steps come first, then the steps of the parts of its chain.
 */
export function recipeByTensor(recipe: readonly TensorRecipe[]): Map<string, TensorRecipe[]> {
  const found = new Map<string, TensorRecipe[]>();
  const nameOf = ({ path, tensor }: TensorRecipe): string => joinPath(path, tensor);
  for (const entry of recipe) {
    if (modernKey(nameOf(entry)) === null)
      found.set(nameOf(entry), [{ ...entry, path: '', tensor: 'weight' }]);
  }
  for (const entry of recipe) {
    const place = modernKey(nameOf(entry));
    if (place === null) continue;
    const { prefix, name } = place;
    const rest = entry.path.slice(`${prefix}parametrizations.${name}`.length);
    found.get(prefix + name)?.push({ ...entry, path: `parametrizations.weight${rest}` });
  }
  return found;
}
