import type { Tensor } from '@tensorflow/tfjs-core';
import { factOf, ParametrizeError } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { nearest, pluralize } from '../../core/text.ts';
import { definedCatalog } from '../../model/catalog.ts';
import { knownHookKeys } from '../../nn/stateDict/hookKeys.ts';
import { keyIn, modernKey } from '../../nn/stateDict/stateKeys.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import { registerRecipes } from '../../stateDict/registerRecipes.ts';
import { tensorRecipes } from '../../stateDict/tensorRecipes.ts';
import { CheckpointError, printable, quoted } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { aliasesIn } from '../metadata/aliases.ts';
import { recipeIn, recipeKey } from '../metadata/recipeText.ts';
import type { PlannedTensor } from '../tensor/plannedTensor.ts';
import { toTensor } from '../tensor/storedTensor.ts';
import { asItIs } from './converted.ts';
import { checkKinds, WeightHost } from './foldByRecipe.ts';
import { floats, foldedType, storedAs } from './foldStored.ts';
import { mergeTies } from './mergeTies.ts';
import { parametrizedWeights } from './parametrizedWeights.ts';
import { recipeAt, recipeByTensor } from './recipeBelow.ts';

/** The contents of a file after a recipe was applied. */
export interface AppliedFile {
  readonly tensors: Map<string, PlannedTensor>;
  /** The texts of the metadata without the recipe. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The recipe of the file: what it had before, what was registered, with all options, and the new ties. */
  readonly recipe: readonly TensorRecipe[];
  /** The names of the tensors that were tied. */
  readonly tied: readonly string[];
}

/**
 * Registers a recipe on the plain tensors of a file. The value of each goes through the right inverses of its maps, in
 * float32, and its parts take its place. The parts are in memory; other tensors are read when they are written. Tied
 * tensors are left out, because they read their sources; see {@link mergeTies}.
 *
 * @throws {@link CheckpointError} `UNKNOWN_TENSOR` for tensors that the file lacks, `CONFLICT` for tensors that are
 * parametrized and for tied tensors with other values, `TIED` for a tensor with several names, `CYCLE`,
 * `UNKNOWN_RECIPE`, `CORRUPT`, `DTYPE`, and the codes of registrations
 */
export async function applyStored(
  original: CheckpointFile,
  whole: readonly TensorRecipe[],
  isLegacy: boolean,
): Promise<AppliedFile> {
  const { file, ties } = await mergeTies(original, whole);
  const recipe = whole.filter(({ tiedTo }) => tiedTo === undefined);
  const wanted = recipeByTensor(recipe);
  checkNames(file, recipe, wanted);
  for (const [name, entries] of wanted)
    checkKinds(name, entries, 'Register it where its model is, and save that with saveCheckpoint.');
  const planned = new Map<string, PlannedTensor>();
  const registered: TensorRecipe[] = [];
  for (const name of file.names) {
    const steps = wanted.get(name);
    const applied =
      steps === undefined
        ? { parts: [[name, asItIs(file, name)] as const], recipe: [] }
        : await partsOf(file, name, steps, isLegacy);
    registered.push(...recipeAt(name, applied.recipe));
    for (const [key, tensor] of applied.parts) {
      if (planned.has(key)) throw conflict(`two tensors would be called ${quoted(key)}`);
      planned.set(key, tensor);
    }
  }
  const { [recipeKey]: _, ...metadata } = file.metadata;
  return {
    tensors: planned,
    metadata,
    recipe: [...(recipeIn(file.metadata) ?? []), ...registered, ...ties],
    tied: ties.map(({ path, tensor }) => joinPath(path, tensor)),
  };
}

const conflict = (fact: string): CheckpointError =>
  new CheckpointError('CONFLICT', fact, 'Fold the file first, or leave the tensor out of the recipe.');

function checkNames(
  file: CheckpointFile,
  recipe: readonly TensorRecipe[],
  wanted: ReadonlyMap<string, readonly TensorRecipe[]>,
): void {
  const there = new Set(file.names);
  const parametrized = new Set(parametrizedWeights(file).map(({ prefix, tensor }) => prefix + tensor));
  const known = [...wanted.keys()].find((name) => parametrized.has(name));
  if (known !== undefined) throw conflict(`the tensor ${quoted(known)} of the file is parametrized already`);
  const outer = recipe.map((entry) => {
    const own = joinPath(entry.path, entry.tensor);
    const above = modernKey(own);
    return above === null ? own : above.prefix + above.name;
  });
  const inner = outer.find((name) => !wanted.has(name));
  if (inner !== undefined) {
    const fact = `the recipe has a tensor in the chain of ${quoted(inner)}, and no steps of that`;
    throw new CheckpointError('CORRUPT', fact, 'Write the recipe of the whole model.');
  }
  const tied = [...file.ties, ...aliasesIn(there, file.metadata)].flat().find((name) => wanted.has(name));
  if (tied !== undefined) {
    const fact = `the tensor ${quoted(tied)} of the file has several names`;
    throw new CheckpointError('TIED', fact, 'Load the file into its model, parametrize that, and save it.');
  }
  const names = recipe.map((entry) => joinPath(entry.path, entry.tensor));
  const twice = firstTwice(names);
  if (twice !== undefined) {
    const fact = `two entries of the recipe are about ${quoted(twice)}`;
    throw new CheckpointError('CONFLICT', fact, 'Leave one of the entries out of the recipe.');
  }
  const lost = [...new Set(outer)].filter((name) => !there.has(name));
  if (lost.length === 0) return;
  const listed = lost.slice(0, 8).map((name) => {
    const near = nearest(name, there, 2).map(quoted);
    return near.length === 0 ? quoted(name) : `${quoted(name)} (nearest: ${near.join(', ')})`;
  });
  const rest = lost.length > 8 ? ` and ${pluralize(lost.length - 8, 'more tensor')}` : '';
  throw new CheckpointError(
    'UNKNOWN_TENSOR',
    `the file has no plain tensor ${listed.join(', ')}${rest}`,
    'Correct the paths of the recipe, or pass --prefix.',
  );
}

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/** Computes the parts of a tensor, and tells what was registered with all of its options. */
async function partsOf(
  file: CheckpointFile,
  name: string,
  recipe: readonly TensorRecipe[],
  isLegacy: boolean,
): Promise<{ parts: [string, PlannedTensor][]; recipe: TensorRecipe[] }> {
  const stored = await file.read(name);
  floats(stored, name);
  const dtype = stored.dtype === 'F64' ? 'F32' : foldedType(stored.dtype);
  const host = new WeightHost(stored.shape);
  let value: Tensor | undefined;
  try {
    value = toTensor(stored, name);
    host.loadStateDict({ weight: value });
    registerRecipes(host, recipe, definedCatalog());
    const state = Object.entries(host.stateDict());
    const own = recipe[0]!.steps;
    const hookKeys =
      (isLegacy && recipe.length === 1 && own.length === 1
        ? knownHookKeys().find(({ kind }) => kind === own[0]!.kind)
        : undefined) ?? null;
    const prefix = name.slice(0, name.lastIndexOf('.') + 1);
    const tensor = name.slice(prefix.length);
    const made = tensorRecipes(host);
    const parts = await Promise.all(
      state.map(async ([key, part]): Promise<[string, PlannedTensor]> => {
        const below = modernKey(key)!.part;
        const data = storedAs(dtype, part.shape, (await part.data()) as Float32Array);
        return [
          prefix + keyIn({ name: tensor, hookKeys }, below, isLegacy),
          { dtype, shape: part.shape, read: async () => data },
        ];
      }),
    );
    return { parts, recipe: made };
  } catch (error) {
    if (!(error instanceof ParametrizeError) || error instanceof CheckpointError) throw error;
    const fact = `the recipe of ${quoted(name)} does not fit it: ${printable(factOf(error).slice(0, 200))}`;
    throw new CheckpointError(error.code, fact, error.remedy ?? '', { cause: error });
  } finally {
    value?.dispose();
    host.dispose();
  }
}
