import { ParametrizeError } from '../../core/errors.ts';
import { checkedRecipe, recipeWith } from '../../stateDict/checkedRecipe.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError } from '../checkpointError.ts';

/** The key of the recipe in the metadata of a file. */
export const recipeKey = 'tfjs-parametrize';

/** Returns the recipe as a text for the metadata. */
export const recipeText = (parametrizations: readonly TensorRecipe[]): string =>
  JSON.stringify(recipeWith(parametrizations));

/**
 * Returns the recipe in the metadata of a file, or null.
 *
 * @throws {@link CheckpointError} `UNKNOWN_RECIPE` for a later version, `CORRUPT`, `LIMIT`
 */
export function recipeIn(metadata: Readonly<Record<string, string>>): readonly TensorRecipe[] | null {
  const text = metadata[recipeKey];
  if (text === undefined) return null;
  try {
    return checkedRecipe(text, 'The file is damaged or incomplete: get it again.').parametrizations;
  } catch (error) {
    if (!(error instanceof ParametrizeError)) throw error;
    const { code, fact, remedy = '' } = error;
    throw new CheckpointError(code, fact, remedy);
  }
}
