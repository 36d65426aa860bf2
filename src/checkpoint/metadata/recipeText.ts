import { isRecord } from '../../core/guards.ts';
import type { RecipeStep, TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError, corrupt } from '../checkpointError.ts';

/** The key of the recipe in the metadata of a file. */
export const recipeKey = 'tfjs-parametrize';

const version = 1;

/** The maximum number of steps of a tensor. A step takes a few bytes in the file, and costs a computation. */
const mostSteps = 64;

/** Returns the recipe as a text for the metadata. */
export const recipeText = (parametrizations: readonly TensorRecipe[]): string =>
  JSON.stringify({ version, parametrizations });

/**
 * Returns the recipe in the metadata of a file, or null.
 *
 * @throws {@link CheckpointError} `UNKNOWN_RECIPE` for a later version, `CORRUPT`, `LIMIT`
 */
export function recipeIn(metadata: Readonly<Record<string, string>>): TensorRecipe[] | null {
  const text = metadata[recipeKey];
  if (text === undefined) return null;
  let recipe: unknown;
  try {
    recipe = JSON.parse(text);
  } catch {
    throw corrupt('the recipe of parametrizations is not JSON');
  }
  if (!isRecord(recipe)) throw corrupt('the recipe of parametrizations is not an object');
  if (recipe['version'] !== version) {
    throw new CheckpointError(
      'UNKNOWN_RECIPE',
      `the recipe of parametrizations has version ${JSON.stringify(recipe['version'])?.slice(0, 20)}, this package reads ${version}`,
      'Update the package.',
    );
  }
  const { parametrizations } = recipe;
  if (!Array.isArray(parametrizations) || !parametrizations.every(isTensorRecipe)) {
    throw corrupt('the recipe of parametrizations does not list tensors and steps');
  }
  if (parametrizations.some(({ steps }) => steps.length > mostSteps)) {
    throw new CheckpointError(
      'LIMIT',
      `the recipe of parametrizations has a tensor with more than ${mostSteps} steps`,
      'Do not trust the file.',
    );
  }
  return parametrizations;
}

const isTensorRecipe = (value: unknown): value is TensorRecipe =>
  isRecord(value) &&
  typeof value['path'] === 'string' &&
  typeof value['tensor'] === 'string' &&
  Array.isArray(value['steps']) &&
  value['steps'].every(isStep);

const isStep = (value: unknown): value is RecipeStep =>
  isRecord(value) && typeof value['kind'] === 'string' && isRecord(value['options']);
