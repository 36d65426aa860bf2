import { type ErrorCode, ParametrizeError } from '../core/errors.ts';
import { isRecord } from '../core/guards.ts';
import { joinPath } from '../core/paths.ts';
import { typeName } from '../core/text.ts';
import type { Recipe, RecipeStep, TensorRecipe } from './recipe.ts';

const version = 1;

/** The maximum number of steps of a tensor. A step takes a few bytes of text, and costs a computation. */
const maxSteps = 64;

const maxTensors = 100_000;

const maxPathLength = 1_000;

/** Returns recipes of tensors in the form of a whole recipe. */
export const recipeWith = (parametrizations: readonly TensorRecipe[]): Recipe => ({
  version,
  parametrizations,
});

/**
 * Checks a recipe, which may come from a file of somebody else. Only own properties count.
 *
 * @param given - the recipe, or its text in JSON
 * @param remedy - the remedy where the recipe is damaged
 * @returns the recipe; its entries are those of `given`
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a later version, `CORRUPT`, `LIMIT`
 */
export function checkedRecipe(given: unknown, remedy: string, caller?: string): Recipe {
  const refused = (code: ErrorCode, fact: string, advice = remedy): ParametrizeError =>
    new ParametrizeError(code, { caller, fact: `the recipe of parametrizations ${fact}`, remedy: advice });
  let recipe = given;
  if (typeof given === 'string') {
    try {
      recipe = JSON.parse(given);
    } catch {
      throw refused('CORRUPT', 'is not JSON');
    }
  }
  if (!isRecord(recipe)) throw refused('CORRUPT', `is not an object, it is ${typeName(recipe)}`);
  const found = own(recipe, 'version');
  if (found !== version) {
    const text = `has version ${JSON.stringify(found)?.slice(0, 20)}, this package reads ${version}`;
    throw refused('UNKNOWN_RECIPE', text, 'Update the package.');
  }
  const entries = own(recipe, 'parametrizations');
  if (!Array.isArray(entries)) throw refused('CORRUPT', 'does not list tensors and steps');
  if (entries.length > maxTensors) throw refused('LIMIT', `has more than ${maxTensors} tensors`);
  // Unlike every(), a loop also looks at the holes of an array.
  for (let i = 0; i < entries.length; i++) {
    const entry: unknown = entries[i];
    if (!isTensorRecipe(entry)) throw refused('CORRUPT', 'does not list tensors and steps');
    const { path, tensor, steps } = entry;
    if (path.length > maxPathLength || tensor.length > maxPathLength) {
      throw refused('LIMIT', `has a path with more than ${maxPathLength} characters`);
    }
    if (steps.length > maxSteps) {
      throw refused('LIMIT', `has a tensor with more than ${maxSteps} steps: '${joinPath(path, tensor)}'`);
    }
  }
  return recipe as unknown as Recipe;
}

const own = (record: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const isTensorRecipe = (value: unknown): value is TensorRecipe => {
  if (!isRecord(value)) return false;
  const steps = own(value, 'steps');
  return (
    typeof own(value, 'path') === 'string' &&
    typeof own(value, 'tensor') === 'string' &&
    Array.isArray(steps) &&
    Array.from(steps).every(isStep)
  );
};

const isStep = (value: unknown): value is RecipeStep =>
  isRecord(value) && typeof own(value, 'kind') === 'string' && isRecord(own(value, 'options'));
