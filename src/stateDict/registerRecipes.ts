import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { transaction } from '../parametrize/transaction.ts';
import { freezeOriginals } from './frozenOriginals.ts';
import { type Catalog, checkInCatalog, type TensorRecipe } from './recipe.ts';
import { registerSteps } from './registerStep.ts';

/**
 * Registers the steps of recipes on the tensors that are not parametrized.
 *
 * @returns the registered tensors, with their paths
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog lacks, or a tensor that the model
 * lacks; and the errors of functions of the catalog. Nothing changes then.
 */
export function registerRecipes(model: Module, recipes: readonly TensorRecipe[], catalog: Catalog): string[] {
  const wanted = recipes.filter(({ path, tensor }) => {
    const host = moduleAt(model, path);
    return host === undefined || !registrationsOf(host).has(tensor);
  });
  for (const entry of wanted) checkInCatalog(entry, catalog);
  return transaction(() =>
    wanted.map((entry) => {
      const { path, tensor, steps } = entry;
      const host = moduleAt(model, path);
      if (host === undefined) {
        throw new ParametrizeError('UNKNOWN_RECIPE', {
          fact: `'${joinPath(path, tensor)}' was parametrized, and the model has no module '${path}'`,
          remedy: 'Load into the model that was saved.',
        });
      }
      registerSteps(host, tensor, steps, catalog);
      freezeOriginals(host, tensor, entry);
      return joinPath(path, tensor);
    }),
  );
}

/**
 * Registers the steps of recipes, then runs `then` with the registered tensors. If that throws, everything is undone.
 *
 * @throws {@link ParametrizeError} the errors of {@link registerRecipes}
 */
export const registeringRecipes = <T>(
  model: Module,
  recipes: readonly TensorRecipe[],
  catalog: Catalog,
  then: (registered: string[]) => T,
): T => transaction(() => then(registerRecipes(model, recipes, catalog)));

/**
 * Returns the module at a path, or undefined. The result is not cached, because registering makes modules that later
 * entries may refer to.
 */
export function moduleAt(model: Module, path: string): Module | undefined {
  let host: Module | undefined = model;
  for (const name of path === '' ? [] : path.split('.')) {
    const field: PropertyDescriptor | undefined = host && Object.getOwnPropertyDescriptor(host, name);
    host = field?.enumerable && isModule(field.value) ? field.value : undefined;
  }
  return host;
}
