import { joinPath } from '../../core/paths.ts';
import { modernKey } from '../../nn/stateDict/stateKeys.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';

/**
 * Returns the recipe of the modules below a path (with its dot), with relative paths. Ties to tensors that are not
 * below it are left out.
 */
export const recipeBelow = (recipe: readonly TensorRecipe[], path: string): TensorRecipe[] => {
  const isBelow = (place: { readonly path: string }): boolean => `${place.path}.`.startsWith(path);
  const relative = <P extends { readonly path: string }>(place: P): P => ({
    ...place,
    path: place.path.slice(path.length),
  });
  return recipe
    .filter((entry) => isBelow(entry) && (entry.tiedTo === undefined || isBelow(entry.tiedTo)))
    .map((entry) => ({ ...relative(entry), ...(entry.tiedTo && { tiedTo: relative(entry.tiedTo) }) }));
};

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
 * steps come first, then the steps of the parts of its chain. Tied tensors have no steps.
 */
export function recipeByTensor(recipe: readonly TensorRecipe[]): Map<string, TensorRecipe[]> {
  const found = new Map<string, TensorRecipe[]>();
  const chains = recipe.filter(({ tiedTo }) => tiedTo === undefined);
  const nameOf = ({ path, tensor }: TensorRecipe): string => joinPath(path, tensor);
  for (const entry of chains) {
    if (modernKey(nameOf(entry)) === null)
      found.set(nameOf(entry), [{ ...entry, path: '', tensor: 'weight' }]);
  }
  for (const entry of chains) {
    const place = modernKey(nameOf(entry));
    if (place === null) continue;
    const { prefix, name } = place;
    const rest = entry.path.slice(`${prefix}parametrizations.${name}`.length);
    found.get(prefix + name)?.push({ ...entry, path: `parametrizations.weight${rest}` });
  }
  return found;
}

/** Returns a recipe in the form of {@link recipeByTensor} with the paths of a tensor, given by its plain name. */
export const recipeAt = (name: string, recipe: readonly TensorRecipe[]): TensorRecipe[] => {
  const dot = name.lastIndexOf('.');
  const [path, tensor] = [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
  const start = 'parametrizations.weight';
  return recipe.map((entry) =>
    entry.path === ''
      ? { ...entry, path, tensor }
      : { ...entry, path: joinPath(path, `parametrizations.${tensor}`, entry.path.slice(start.length + 1)) },
  );
};
