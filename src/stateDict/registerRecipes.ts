import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { isModule } from '../nn/module/fields.ts';
import type { Module } from '../nn/module/module.ts';
import { registrationsOf } from '../parametrize/chain/registry.ts';
import { transaction } from '../parametrize/transaction.ts';
import { freezeOriginals } from './frozenOriginals.ts';
import { type Catalog, checkInCatalog, type RecipeTie, type TensorRecipe } from './recipe.ts';
import { registerSteps } from './registerStep.ts';

/** The type of `registerTie`, which is loaded only where a recipe has ties. */
export type RegisterTie = (host: object, name: string, source: object, tiedTo: RecipeTie) => void;

/**
 * Registers the steps of recipes on the tensors that are not parametrized, then ties those that have a source.
 *
 * @param tie - needed if there is a tied tensor
 * @returns the registered tensors, with their paths
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog lacks, or a tensor that the model
 * lacks; and the errors of functions of the catalog. Nothing changes then.
 */
export function registerRecipes(
  model: Module,
  recipes: readonly TensorRecipe[],
  catalog: Catalog,
  tie?: RegisterTie,
): string[] {
  const left = recipes.filter(({ path, tensor }) => {
    const host = moduleAt(model, path);
    return host === undefined || !registrationsOf(host).has(tensor);
  });
  const wanted = tiesLast(left);
  for (const entry of wanted) checkInCatalog(entry, catalog);
  return transaction(() =>
    wanted.map((entry) => {
      const { path, tensor, steps, tiedTo } = entry;
      const hostOf = (at: string): Module => {
        const host = moduleAt(model, at);
        if (host !== undefined) return host;
        throw new ParametrizeError('UNKNOWN_RECIPE', {
          fact: `'${joinPath(path, tensor)}' was ${tiedTo === undefined ? 'parametrized' : 'tied'}, and the model has no module '${at}'`,
          remedy: 'Load into the model that was saved.',
        });
      };
      const host = hostOf(path);
      registerSteps(host, tensor, steps, catalog);
      if (tiedTo !== undefined) {
        tie!(host, tensor, hostOf(tiedTo.path), tiedTo);
      }
      freezeOriginals(host, tensor, entry);
      return joinPath(path, tensor);
    }),
  );
}

/** Returns entries with those of tied tensors at the end. */
const tiesLast = (entries: readonly TensorRecipe[]): TensorRecipe[] => [
  ...entries.filter(({ tiedTo }) => tiedTo === undefined),
  ...entries.filter(({ tiedTo }) => tiedTo !== undefined),
];

/**
 * Registers the steps of recipes, then runs `then` with the registered tensors. If that throws, everything is undone.
 *
 * @throws {@link ParametrizeError} the errors of {@link registerRecipes}
 */
export const registeringRecipes = <T>(
  model: Module,
  recipes: readonly TensorRecipe[],
  { catalog, tie }: { readonly catalog: Catalog; readonly tie: RegisterTie | undefined },
  then: (registered: string[]) => T,
): T => transaction(() => then(registerRecipes(model, recipes, catalog, tie)));

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
