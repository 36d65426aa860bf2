import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import type {
  ForeignKind,
  ForeignPart,
  ForeignState,
  ForeignTensor,
} from '../../model/foreign/foreignModel.ts';
import { nativeKey } from '../../model/foreign/foreignTensor.ts';
import { normalizationAlike } from '../../model/foreign/normalizationAlike.ts';
import { type ChooseMode, Twin } from '../../model/foreign/twin.ts';
import { followRecipe, registering } from '../../model/foreign/twinRecipe.ts';
import { twinWrites } from '../../model/foreign/twinWrites.ts';
import type { Catalog, TensorRecipe } from '../../model/recipe.ts';
import { keysIn } from '../../nn/spelling/normalization.ts';
import { CheckpointError } from '../checkpointError.ts';
import { type CheckpointReport, checkpointReport } from './checkpointReport.ts';
import { mappingsOf } from './foreignMappings.ts';
import { matchedRecipe } from './matchedRecipe.ts';
import type { StoredState } from './readState.ts';
import { recipeIn } from './recipeText.ts';
import { tiesOf } from './selectedTies.ts';
import { isBroadcast } from './storedModules.ts';

/**
 * Loads a state dict into a model that is no module, by way of a module that has its state in torch's layout. All or nothing.
 *
 * @throws {@link StateDictError} if the state dict does not fit
 * @throws {@link CheckpointError} `UNKNOWN_RECIPE`
 */
export function loadForeign(
  kind: ForeignKind,
  model: object,
  state: ForeignState,
  { tensors, metadata, selection, placeholders }: StoredState,
  strict: boolean,
  catalog: Catalog | undefined,
): CheckpointReport {
  const recipe = matchedRecipe(recipeOfFile(metadata, catalog !== undefined), selection);
  const twin = new Twin(state, chooserFor(tensors, recipe));
  let report: CheckpointReport | undefined;
  try {
    tf.tidy(() => {
      const planned =
        catalog === undefined ? [] : following(() => followRecipe(twin, recipe, catalog, tensors));
      const values = withBroadcast(twin, tensors);
      const before = dataOf(twin);
      const { mapped, missingKeys, unexpectedKeys } = twin.module.loadStateDict(values, { strict });
      const after = dataOf(twin);
      const later = new Set(planned.map(({ twin: tensor }) => tensor));
      const written = twin.tensors.filter(
        (tensor) =>
          !later.has(tensor) && [...tensor.paths.keys()].some((key) => after.get(key) !== before.get(key)),
      );
      const writes = written.flatMap(twinWrites);
      const all = following(() =>
        registering(planned, () => {
          const values = [...later].flatMap(twinWrites);
          if (planned.length > 0) kind.registered(model);
          return [...writes, ...values];
        }),
      );
      // From here on nothing can fail.
      for (const [variable, value] of all) variable.assign(value);
      const mappings = mappingsOf(twin, selection, mapped, unexpectedKeys, tensors);
      report = checkpointReport({
        prefix: selection.prefix,
        ...mappings,
        missing: missingKeys,
        unexpected: [
          ...unexpectedKeys.map((key) => selection.keys.get(key) ?? key),
          ...(selection.unexpected ?? []),
        ],
        skipped: selection.skipped,
        ties: tiesOf(selection, state.ties),
        registered: [...later].map(({ tensor }) => tensor.path),
        placeholders,
        notes: state.notes,
      });
    });
    return report!;
  } finally {
    twin.dispose();
  }
}

/** The recipe of a file; without a catalog it only tells axes, and one that cannot be read tells none. */
function recipeOfFile(metadata: Readonly<Record<string, string>>, isFollowed: boolean): TensorRecipe[] {
  try {
    return recipeIn(metadata) ?? [];
  } catch (error) {
    if (isFollowed) throw error;
    return [];
  }
}

/** What is wrong with a recipe is wrong with the file. */
function following<T>(fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (error instanceof ParametrizeError && error.code === 'UNKNOWN_RECIPE') {
      throw new CheckpointError('UNKNOWN_RECIPE', error.message);
    }
    throw error;
  }
}

/**
 * A tensor stands in the twin as it will find most of itself in the file: normalized only if the file has norms along the same
 * axes; else the value is computed, and the model's own parametrization gets it through its right inverse.
 */
function chooserFor(tensors: NamedTensorMap, recipe: readonly TensorRecipe[]): ChooseMode {
  const keys = Object.keys(tensors);
  return (tensor, part, possible) => {
    if (possible.length === 1) return possible[0]!;
    if (keys.some((key) => key.startsWith(nativeKey(tensor, '')))) return 'native';
    return possible.includes('normalized') && isAlike(tensor, part, tensors, recipe)
      ? 'normalized'
      : possible.at(-1)!;
  };
}

function isAlike(
  tensor: ForeignTensor,
  { path, isTransposed }: ForeignPart,
  tensors: NamedTensorMap,
  recipe: readonly TensorRecipe[],
): boolean {
  const { host, name, torchNames, layout } = tensor;
  const [torchName] = torchNames as [string];
  const { normalization, dims } = normalizationAlike(host, name, layout!)!;
  const keys = [false, true].map((isLegacy) => keysIn(torchName, normalization, isLegacy));
  const [first] = keys.find((spelled) => spelled.every((key) => joinPath(path, key) in tensors)) ?? [];
  if (first === undefined) return true; // otherwise spelled: through the right inverse of the twin
  if (normalization === 'weightNorm') {
    const g = tensors[joinPath(path, first)]!;
    const shape = layout!.torchShape.map((size, axis) => (dims.includes(axis) ? size : 1));
    return tf.util.arraysEqual(g.shape, dims.length === 0 ? [] : shape);
  }
  const steps = recipe.find((entry) => entry.path === path && entry.tensor === torchName)?.steps ?? [];
  const { dim = isTransposed ? 1 : 0 } = (steps[0]?.options ?? {}) as { dim?: unknown };
  return dim === dims[0];
}

/** What stands for several elements, one or one for each channel, as many times. */
const withBroadcast = (twin: Twin, tensors: NamedTensorMap): NamedTensorMap => {
  const all = { ...tensors };
  for (const { tensor, paths, mode } of twin.tensors) {
    for (const key of tensor.isBroadcast && mode === 'plain' ? paths.keys() : []) {
      const value: Tensor | undefined = all[key];
      const shape = tensor.layout!.torchShape;
      if (value === undefined || !isBroadcast(value.shape, shape)) continue;
      const column = tf.reshape(value, [value.size, ...shape.slice(1).map(() => 1)]);
      all[key] = tf.add(tf.zeros(shape), column);
    }
  }
  return all;
};

const dataOf = ({ module }: Twin): Map<string, object> =>
  new Map(Object.entries(module.stateDict()).map(([key, { dataId }]) => [key, dataId]));
