import { joinPath } from '../../core/paths.ts';
import { type Catalog, definedShape, programCatalog, type TensorRecipe } from '../../stateDict/recipe.ts';
import type { StoredNames } from './storedNames.ts';

/**
 * Returns the names of a file with the shapes of computed weights. The last original of a weight of a recipe has the
 * shape of the weight, where the definition of the map tells it: factors have other shapes.
 */
export function withWholeShapes(
  stored: StoredNames,
  recipe: readonly TensorRecipe[],
  catalog: Catalog | undefined,
): StoredNames {
  const all = programCatalog(catalog);
  const names = new Set(stored.names);
  const shapes = new Map<string, readonly number[]>();
  for (const { path, tensor, steps } of recipe) {
    const [step] = steps;
    const own = joinPath(path, `parametrizations.${tensor}.original`);
    const originals = names.has(own) ? [own] : [];
    while (names.has(own + originals.length)) originals.push(own + originals.length);
    if (originals.length === 0) continue;
    const parts = originals.map((name) => stored.shapeOf(name));
    const shape = definedShape(step, parts, all);
    if (shape !== null) shapes.set(originals.at(-1)!, shape);
  }
  return shapes.size === 0
    ? stored
    : { ...stored, shapeOf: (name) => shapes.get(name) ?? stored.shapeOf(name) };
}
