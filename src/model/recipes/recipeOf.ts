import { recipeWith } from '../../stateDict/checkedRecipe.ts';
import type { Recipe } from '../../stateDict/recipe.ts';
import { tensorRecipes } from '../../stateDict/tensorRecipes.ts';
import { checkModel } from '../checkModel.ts';

/**
 * Returns the parametrizations of a model as data, from which {@link applyRecipe} registers the same on another model
 * of the same form. The state, such as the originals and the vectors of spectral norm, is in the state dict.
 *
 * A tensor of a shared module is listed once. Chains inside of chains have a path through `parametrizations`. A map
 * without a definition has the kind and the options of the rule or recipe that registered it, else the static
 * `className` of its class. A function that nothing names has the kind `function`, and {@link applyRecipe} refuses it.
 * A tied tensor has its source in `tiedTo`; if the source is outside of the model, its kind is `function`.
 *
 * @remarks
 * Nothing is evaluated.
 *
 * @param model - a module, a layer or model of tf.layers, or an object that holds variables
 * @returns the recipe, which can be written as JSON
 * @throws {@link ParametrizeError} `UNSUPPORTED_HOST` if the model is not an object
 * @example
 * ```ts
 * const text = JSON.stringify(recipeOf(model));
 * applyRecipe(other, text, { catalog: { weightNorm } });
 * other.loadStateDict(model.stateDict());
 * ```
 */
export function recipeOf(model: object): Recipe {
  checkModel('recipeOf', model);
  return recipeWith(tensorRecipes(model));
}
