import { definedCatalog } from '../../model/catalog.ts';
import { type HookKeys, knownHookKeys } from '../../nn/stateDict/hookKeys.ts';
import type { KeyFormat } from '../../nn/stateDict/keyFormat.ts';
import { keysIn, legacyKey, modernKey, partsOf } from '../../nn/stateDict/stateKeys.ts';
import { hasHookKeys, type TensorRecipe } from '../../stateDict/recipe.ts';
import type { CheckpointFile, TensorInfo } from '../file/checkpointFile.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import { recipeByTensor } from './recipeBelow.ts';

/** A parametrized weight of a file. */
export interface ParametrizedWeight {
  /** The path of the module with a dot, or the empty string. */
  readonly prefix: string;
  /** The name of the weight. */
  readonly tensor: string;
  readonly keyFormat: Exclude<KeyFormat, 'folded'>;
  /** The names of the parts, if names, shapes and the recipe identify the normalization; else null. */
  readonly hookKeys: HookKeys | null;
  /** The names of the tensors that it is computed from, in the order of {@link hookKeys} if those are known. */
  readonly parts: readonly string[];
  /**
   * True if torch before 1.0 wrote the weight. The last part is then the value of the weight instead of its right
   * vector.
   */
  readonly hasValue: boolean;
  /** The recipe of the weight in the file, in the form for the `weight` of a module; null if the file has none. */
  readonly recipe: readonly TensorRecipe[] | null;
}

/**
 * Returns the parametrized weights of a file, found by the names and shapes of its tensors (`weight_g` with `weight_v`,
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
    const composed = composition(file, names, prefix, tensor, modern, recipe);
    const keyFormat = modern === null ? 'legacy' : 'modern';
    if (composed !== null) found.set(prefix + tensor, { prefix, tensor, keyFormat, recipe, ...composed });
  };
  for (const { prefix, name, keys } of modernGroups(file.names)) look(prefix, name, keys);
  for (const name of file.names) {
    const { prefix, name: tensor, part } = legacyKey(name);
    if (part !== '') look(prefix, tensor, null);
  }
  return [...found.values()];
}

type Composition = Pick<ParametrizedWeight, 'hookKeys' | 'parts' | 'hasValue'>;

/**
 * Returns the parts of a weight, or null if no key format is complete.
 *
 * @param modern - all names below its `parametrizations`; null to search for the old names
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
  for (const hookKeys of knownHookKeys()) {
    const parts = keysIn(tensor, hookKeys, modern === null).map((key) => prefix + key);
    const isAll = parts.every(isThere) && (modern ?? parts).length === parts.length;
    if (isAll && hookKeys.fits(infosOf(file, hookKeys, parts)) && agrees(recipe, hookKeys)) {
      return { hookKeys, parts, hasValue: false };
    }
  }
  if (modern !== null) return { hookKeys: null, parts: modern, hasValue: false };
  for (const hookKeys of recipe === null ? knownHookKeys() : []) {
    const keys = keysIn(tensor, hookKeys, true).map((key) => prefix + key);
    const parts = [...keys.slice(0, -1), prefix + tensor];
    const isOldest = parts.every(isThere) && !isThere(keys.at(-1)!);
    if (isOldest && hookKeys.unsaved?.fits(infosOf(file, hookKeys, parts), file.info(prefix + tensor))) {
      return { hookKeys, parts, hasValue: true };
    }
  }
  return null;
}

/** Returns the types and shapes of parts, by their names. */
export const infosOf = (
  file: CheckpointFile,
  hookKeys: HookKeys,
  parts: readonly string[],
): Record<string, TensorInfo> =>
  Object.fromEntries(partsOf(hookKeys).map((part, i) => [part, file.info(parts[i]!)]));

/** Returns the keys below `parametrizations`, grouped by tensor. */
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

/**
 * True if the recipe allows the normalization. Steps without tensors leave no names, so `original0` and `original1` may
 * be more than a weight norm, or a weight norm whose g is a logarithm.
 */
function agrees(recipe: readonly TensorRecipe[] | null, { kind }: HookKeys): boolean {
  if (recipe === null) return true;
  const [step, ...others] = recipe.length === 1 ? recipe[0]!.steps : [];
  if (step === undefined || others.length > 0 || step.kind !== kind) return false;
  return hasHookKeys(step, definedCatalog());
}
