import {
  keptAxes,
  keysIn,
  leftAxes,
  legacyKey,
  modernKey,
  type Normalization,
  normalizationNames,
  rowAxes,
} from '../../nn/stateDict/normalization.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import { recipeByTensor } from './recipeBelow.ts';

/** A parametrized weight of a file. */
export interface ParametrizedWeight {
  /** The path of its module, with a dot, or empty. */
  readonly prefix: string;
  /** Its own name. */
  readonly tensor: string;
  readonly keyFormat: 'modern' | 'legacy';
  /** The normalization that it is, and nothing else, by names, shapes and the recipe; null of whatever else it may be. */
  readonly normalization: Normalization | null;
  /** The names of the tensors that it is made of; of a normalization in the order of its parts. */
  readonly parts: readonly string[];
  /** Whether torch before 1.0 wrote it: the last of the parts is the value of the weight instead of its right vector. */
  readonly hasValue: boolean;
  /** What the recipe of the file says, as of the `weight` of a module; null if it says nothing. */
  readonly recipe: readonly TensorRecipe[] | null;
}

/**
 * The parametrized weights of a file, by the names and shapes of its tensors (`weight_g` with `weight_v`,
 * `parametrizations.weight.original0` with `original1`, and so on) and by its recipe.
 *
 * @throws {@link CheckpointError} `CORRUPT`, `UNKNOWN_RECIPE` if the recipe cannot be read
 */
export function parametrizedWeights(file: CheckpointFile): ParametrizedWeight[] {
  const recipes = recipeByTensor(recipeIn(file.metadata) ?? []);
  const names = new Set(file.names);
  const found = new Map<string, ParametrizedWeight>();
  const look = (prefix: string, tensor: string, modern: readonly string[] | null): void => {
    if (found.has(prefix + tensor)) return;
    const recipe = recipes.get(prefix + tensor) ?? null;
    const made = composition(file, names, prefix, tensor, modern, recipe);
    const keyFormat = modern === null ? 'legacy' : 'modern';
    if (made !== null) found.set(prefix + tensor, { prefix, tensor, keyFormat, recipe, ...made });
  };
  for (const { prefix, name, keys } of modernGroups(file.names)) look(prefix, name, keys);
  for (const name of file.names) {
    const { prefix, name: tensor, part } = legacyKey(name);
    if (part !== '') look(prefix, tensor, null);
  }
  return [...found.values()];
}

type Composition = Pick<ParametrizedWeight, 'normalization' | 'parts' | 'hasValue'>;

/**
 * What a weight is made of; null if nothing is complete.
 *
 * @param modern - all that stands below its `parametrizations`; null to look for the old names
 */
function composition(
  file: CheckpointFile,
  names: ReadonlySet<string>,
  prefix: string,
  tensor: string,
  modern: readonly string[] | null,
  recipe: readonly TensorRecipe[] | null,
): Composition | null {
  const isThere = (part: string): boolean => names.has(part);
  for (const normalization of normalizationNames) {
    const parts = keysIn(tensor, normalization, modern === null).map((key) => prefix + key);
    const isAll = parts.every(isThere) && (modern ?? parts).length === parts.length;
    if (isAll && fits(file, normalization, parts) && agrees(recipe, normalization)) {
      return { normalization, parts, hasValue: false };
    }
  }
  if (modern !== null) return { normalization: null, parts: modern, hasValue: false };
  const [original, u, v] = keysIn(tensor, 'spectralNorm', true).map((key) => prefix + key) as string[];
  const parts = [original!, u!, prefix + tensor];
  const isOldest = recipe === null && parts.every(isThere) && !isThere(v!) && fitsValue(file, parts);
  return isOldest ? { normalization: 'spectralNorm', parts, hasValue: true } : null;
}

/** What stands below `parametrizations`, by tensors. */
function modernGroups(names: readonly string[]) {
  const groups = new Map<string, { prefix: string; name: string; keys: string[] }>();
  for (const key of names) {
    const place = modernKey(key);
    if (place === null) continue;
    const { prefix, name } = place;
    const group = groups.get(prefix + name);
    if (group === undefined) groups.set(prefix + name, { prefix, name, keys: [key] });
    else group.keys.push(key);
  }
  return groups.values();
}

/** Names do not tell of steps without tensors: `original0` and `original1` may be more than a weight norm. */
const agrees = (recipe: readonly TensorRecipe[] | null, normalization: Normalization): boolean =>
  recipe === null ||
  (recipe.length === 1 && recipe[0]!.steps.map(({ kind }) => kind).join() === normalization);

function fits(file: CheckpointFile, normalization: Normalization, parts: readonly string[]): boolean {
  const [first, second, third] = parts.map((part) => file.info(part).shape);
  return normalization === 'weightNorm'
    ? keptAxes(first!, second!) !== null
    : rowAxes(first!, second!, third!).length > 0;
}

function fitsValue(file: CheckpointFile, parts: readonly string[]): boolean {
  const [W, u, value] = parts.map((part) => file.info(part).shape);
  return String(W) === String(value) && leftAxes(W!, u!).length > 0;
}
