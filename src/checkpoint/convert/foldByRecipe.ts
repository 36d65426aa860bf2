import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { factOf, ParametrizeError } from '../../core/errors.ts';
import { definedCatalog } from '../../model/catalog.ts';
import { Module } from '../../nn/module/module.ts';
import { parameter } from '../../nn/module/parameter.ts';
import type { TensorRecipe } from '../../stateDict/recipe.ts';
import { registerRecipes } from '../../stateDict/registerRecipes.ts';
import { CheckpointError, corrupt, printable, quoted } from '../checkpointError.ts';
import { type StoredTensor, toTensor } from '../tensor/storedTensor.ts';

/** A module with only the weight. */
export class WeightHost extends Module {
  readonly weight: Tensor;

  constructor(shape: readonly number[]) {
    super();
    this.weight = parameter(() => tf.zeros([...shape]));
  }

  override forward(): Tensor {
    return this.weight;
  }
}

/**
 * Computes a weight from its parts by the maps of a recipe, which need a backend.
 *
 * @param name - the name of the weight, for messages
 * @param shape - the shape of the weight
 * @param recipe - the recipe of the `weight` of a module; see {@link checkKinds}
 * @param parts - the parts by their keys in that module
 * @throws {@link CheckpointError} `CORRUPT` if the parts do not fit the recipe, `DTYPE`
 */
export async function foldByRecipe(
  name: string,
  shape: readonly number[],
  recipe: readonly TensorRecipe[],
  parts: ReadonlyMap<string, StoredTensor>,
): Promise<StoredTensor> {
  const host = new WeightHost(shape);
  const tensors: Record<string, Tensor> = {};
  let value: Tensor | undefined;
  try {
    for (const [key, stored] of parts) tensors[key] = toTensor(stored, name);
    registerRecipes(host, recipe, definedCatalog());
    host.eval().loadStateDict(tensors);
    value = tf.tidy(() => tf.clone(host.weight));
    return { dtype: 'F32', shape, data: (await value.data()) as Float32Array };
  } catch (error) {
    throw refusal(error, name);
  } finally {
    tf.dispose(tensors);
    value?.dispose();
    host.dispose();
  }
}

/** Turns an error of a map or a module about parts of others into an error about the file. */
function refusal(error: unknown, name: string): unknown {
  if (!(error instanceof ParametrizeError) || error instanceof CheckpointError) return error;
  return corrupt(
    `the recipe of ${quoted(name)} does not fit its tensors: ${printable(factOf(error).slice(0, 200))}`,
  );
}

/**
 * Refuses kinds that only a program with their function can compute.
 *
 * @throws {@link CheckpointError} `UNKNOWN_RECIPE`
 */
export function checkKinds(name: string, recipe: readonly TensorRecipe[], remedy = foldElsewhere): void {
  const kinds = recipe.flatMap(({ steps }) => steps.map(({ kind }) => kind));
  const unknown = kinds.find((kind) => !Object.hasOwn(definedCatalog(), kind));
  if (unknown === undefined) return;
  throw new CheckpointError(
    'UNKNOWN_RECIPE',
    `the tensor ${quoted(name)} is parametrized by ${quoted(unknown)}, which this program does not know`,
    remedy,
  );
}

/** The remedy if a file alone is not enough. */
export const foldElsewhere =
  "Fold it where its model is: load it there, and save that with saveCheckpoint(model, path, { keyFormat: 'folded' }).";
