import { joinPath } from '../core/paths.ts';
import type { FormulaOf } from '../nn/module/readStateDict.ts';
import { knownHookKeys } from '../nn/stateDict/hookKeys.ts';
import { type Catalog, hasHookKeys, programCatalog, type TensorRecipe } from './recipe.ts';

/**
 * Returns the formulas of the tensors of a recipe. The names of the parts do not tell them: any map with two originals
 * has `original0` and `original1`, as weight norm has.
 */
export function formulaByRecipe(recipe: readonly TensorRecipe[], catalog: Catalog | undefined): FormulaOf {
  const all = programCatalog(catalog);
  const formulas = new Map(
    recipe
      .filter(({ tiedTo, steps }) => tiedTo === undefined && steps.length > 0)
      .map(({ path, tensor, steps }) => {
        const [step, ...others] = steps as [(typeof steps)[number], ...typeof steps];
        const isHook = knownHookKeys().some(({ kind }) => kind === step.kind);
        const isWhole = isHook && others.length === 0 && hasHookKeys(step, all);
        return [joinPath(path, tensor), isWhole ? step.kind : null] as const;
      }),
  );
  return (key) => formulas.get(key);
}
