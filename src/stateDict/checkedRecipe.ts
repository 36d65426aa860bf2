import { type ErrorCode, ParametrizeError } from '../core/errors.ts';
import { isRecord } from '../core/guards.ts';
import { joinPath } from '../core/paths.ts';
import { typeName } from '../core/text.ts';
import type { Recipe, RecipeStep, RecipeTie, TensorRecipe } from './recipe.ts';

/** The latest version that this package reads. */
const latest: Recipe['version'] = 2;

/** A check of a field: returns what is wrong with the value, or null. */
type FieldCheck = (value: unknown, entry: TensorRecipe) => string | null;

/** The fields of an entry that version 1 does not have, with the checks of their values. */
const laterFields: { readonly [K in keyof TensorRecipe]?: FieldCheck } = {
  frozen: (value) =>
    Array.isArray(value) && Array.from(value).every((name) => typeof name === 'string')
      ? null
      : 'has no names in frozen',
  tiedTo(value, { steps, frozen = [] }) {
    if (!isTie(value)) return 'has no tensor in tiedTo';
    return steps.length + frozen.length > 0 ? 'has steps or frozen originals beside tiedTo' : null;
  },
};

/** Returns the lowest version that has all fields of these entries. A reader of an earlier version refuses it. */
const versionFor = (entries: readonly TensorRecipe[]): Recipe['version'] =>
  entries.some((entry) => laterFieldsOf(entry).length > 0) ? 2 : 1;

/** Returns the fields of an entry that version 1 does not have, with their checks. */
const laterFieldsOf = (entry: TensorRecipe): [field: string, check: FieldCheck][] =>
  Object.entries(laterFields).filter(([field]) => own(entry, field) !== undefined);

/** The maximum number of steps of a tensor. A step takes a few bytes of text, and costs a computation. */
const maxSteps = 64;

const maxTensors = 100_000;

const maxPathLength = 1_000;

/** Returns recipes of tensors in the form of a whole recipe. */
export const recipeWith = (parametrizations: readonly TensorRecipe[]): Recipe => ({
  version: versionFor(parametrizations),
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
  if (found !== 1 && found !== latest) {
    const text = `has version ${JSON.stringify(found)?.slice(0, 20)}, this package reads 1 and ${latest}`;
    throw refused('UNKNOWN_RECIPE', text, 'Update the package.');
  }
  const entries = own(recipe, 'parametrizations');
  if (!Array.isArray(entries)) throw refused('CORRUPT', 'does not list tensors and steps');
  if (entries.length > maxTensors) throw refused('LIMIT', `has more than ${maxTensors} tensors`);
  // Unlike every(), a loop also looks at the holes of an array.
  for (let i = 0; i < entries.length; i++) {
    const entry: unknown = entries[i];
    if (!isTensorRecipe(entry)) throw refused('CORRUPT', 'does not list tensors and steps');
    for (const [field, check] of laterFieldsOf(entry)) {
      if (found === 1) throw refused('CORRUPT', `has version 1, which has no ${field}`);
      const fault = check(entry[field as keyof TensorRecipe], entry);
      if (fault !== null) throw refused('CORRUPT', fault);
    }
    const { path, tensor, steps, frozen = [], tiedTo } = entry;
    const names = [path, tensor, tiedTo?.path ?? '', tiedTo?.tensor ?? ''];
    if (names.some(({ length }) => length > maxPathLength)) {
      throw refused('LIMIT', `has a path with more than ${maxPathLength} characters`);
    }
    if (frozen.length > maxSteps) {
      throw refused('LIMIT', `freezes more than ${maxSteps} originals of '${joinPath(path, tensor)}'`);
    }
    if (steps.length > maxSteps) {
      throw refused('LIMIT', `has a tensor with more than ${maxSteps} steps: '${joinPath(path, tensor)}'`);
    }
  }
  return recipe as unknown as Recipe;
}

const own = (record: object, key: string): unknown =>
  Object.hasOwn(record, key) ? (record as Record<string, unknown>)[key] : undefined;

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

const isTie = (value: unknown): value is RecipeTie =>
  isRecord(value) &&
  typeof own(value, 'path') === 'string' &&
  typeof own(value, 'tensor') === 'string' &&
  ['undefined', 'boolean'].includes(typeof own(value, 'transpose'));

const isStep = (value: unknown): value is RecipeStep =>
  isRecord(value) && typeof own(value, 'kind') === 'string' && isRecord(own(value, 'options'));
