import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { factOf, ParametrizeError } from '../../core/errors.ts';
import { definedCatalog } from '../../model/catalog.ts';
import { Module } from '../../nn/module/module.ts';
import { parameter } from '../../nn/module/parameter.ts';
import { applyRecipe, type TensorRecipe } from '../../stateDict/recipe.ts';
import { CheckpointError, corrupt, printable, quoted } from '../checkpointError.ts';
import { type StoredTensor, toTensor } from '../tensor/storedTensor.ts';

/** A module that has nothing but the weight. */
class Host extends Module {
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
 * The weight that a recipe makes of its parts, by the maps themselves, which need a backend.
 *
 * @param name - of the weight, for messages
 * @param shape - of the weight
 * @param recipe - of the `weight` of a module; {@link checkKinds}
 * @param parts - by their keys in that module
 * @throws {@link CheckpointError} `CORRUPT` if the parts are not of the recipe, `DTYPE`
 */
export async function foldByRecipe(
  name: string,
  shape: readonly number[],
  recipe: readonly TensorRecipe[],
  parts: ReadonlyMap<string, StoredTensor>,
): Promise<StoredTensor> {
  const host = new Host(shape);
  const tensors: Record<string, Tensor> = {};
  let value: Tensor | undefined;
  try {
    for (const [key, stored] of parts) tensors[key] = toTensor(stored, name);
    applyRecipe(host, recipe, definedCatalog());
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

/** Turns an error of a map or a module that gets parts of another map into a fact about the file. */
function refusal(error: unknown, name: string): unknown {
  if (!(error instanceof ParametrizeError) || error instanceof CheckpointError) return error;
  return corrupt(
    `the recipe of ${quoted(name)} does not fit its tensors: ${printable(factOf(error).slice(0, 200))}`,
  );
}

/**
 * Refuses what only a program knows that has the function.
 *
 * @throws {@link CheckpointError} `UNKNOWN_RECIPE`
 */
export function checkKinds(name: string, recipe: readonly TensorRecipe[]): void {
  const kinds = recipe.flatMap(({ steps }) => steps.map(({ kind }) => kind));
  const unknown = kinds.find((kind) => !Object.hasOwn(definedCatalog(), kind));
  if (unknown === undefined) return;
  throw new CheckpointError(
    'UNKNOWN_RECIPE',
    `the tensor ${quoted(name)} is parametrized by ${quoted(unknown)}, which this program does not know`,
    foldElsewhere,
  );
}

/** The remedy where a file alone does not do. */
export const foldElsewhere =
  "Fold it where its model is: load it there, and save that with saveCheckpoint(model, path, { keyFormat: 'folded' }).";
