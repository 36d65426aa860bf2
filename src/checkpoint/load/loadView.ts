import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { joinPath } from '../../core/paths.ts';
import { loadStateDict } from '../../nn/module/loadStateDict.ts';
import { keyIn, partsOf } from '../../nn/stateDict/stateKeys.ts';
import type { ModelState, StateKind, StatePart, StateTensor } from '../../stateDict/modelState.ts';
import { normalizationAlike } from '../../stateDict/normalizationAlike.ts';
import type { Catalog, TensorRecipe } from '../../stateDict/recipe.ts';
import { nativeKey } from '../../stateDict/stateTensor.ts';
import { type ChooseMode, TorchView } from '../../stateDict/torchView.ts';
import { followRecipe, registering } from '../../stateDict/viewRecipe.ts';
import { viewWrites } from '../../stateDict/viewWrites.ts';
import { CheckpointError } from '../checkpointError.ts';
import { recipeIn } from '../metadata/recipeText.ts';
import { type CheckpointReport, checkpointReport } from './checkpointReport.ts';
import { followingRecipe } from './followingRecipe.ts';
import { isBroadcast } from './match/storedModules.ts';
import { matchedRecipe } from './matchedRecipe.ts';
import type { StoredState } from './readState.ts';
import { tiesOf } from './selectedTies.ts';
import { mappingsOf } from './viewMappings.ts';

/**
 * Loads a state dict into a model that is no module, by way of a module that has its state in torch's layout. All or
 * nothing.
 *
 * @throws {@link StateDictError} if the state dict does not fit
 * @throws {@link CheckpointError} `UNKNOWN_RECIPE`
 */
export function loadView(
  kind: StateKind,
  model: object,
  state: ModelState,
  { tensors, metadata, selection, placeholders, notes }: StoredState,
  strict: boolean,
  catalog: Catalog | undefined,
): CheckpointReport {
  const recipe = matchedRecipe(recipeOfFile(metadata, catalog !== undefined), selection);
  const view = new TorchView(state, chooserFor(tensors, recipe));
  let report: CheckpointReport | undefined;
  try {
    tf.tidy(() => {
      const planned =
        catalog === undefined ? [] : followingRecipe(() => followRecipe(view, recipe, catalog, tensors));
      const values = withBroadcast(view, tensors);
      const before = dataOf(view);
      const { mapped, missingKeys, unexpectedKeys } = loadStateDict(
        view.module,
        values,
        { strict },
        { caller: 'loadCheckpoint', what: 'file' },
      );
      const after = dataOf(view);
      const later = new Set(planned.map(({ viewed: tensor }) => tensor));
      const written = view.tensors.filter(
        (tensor) =>
          !later.has(tensor) && [...tensor.paths.keys()].some((key) => after.get(key) !== before.get(key)),
      );
      const writes = written.flatMap(viewWrites);
      const all = followingRecipe(() =>
        registering(planned, () => {
          const values = [...later].flatMap(viewWrites);
          if (planned.length > 0) kind.registered(model);
          return [...writes, ...values];
        }),
      );
      // From here on nothing can fail.
      for (const [variable, value] of all) variable.assign(value);
      const mappings = mappingsOf(view, selection, mapped, unexpectedKeys, tensors);
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
        notes: [...state.notes.map((text) => ({ kind: 'model', text }) as const), ...notes],
      });
    });
    return report!;
  } finally {
    view.dispose();
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

/**
 * A tensor stands in the view as it will find most of itself in the file: normalized only if the file has norms along
 * the same axes; else the value is computed, and the model's own parametrization gets it through its right inverse.
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
  tensor: StateTensor,
  { path, isTransposed }: StatePart,
  tensors: NamedTensorMap,
  recipe: readonly TensorRecipe[],
): boolean {
  const { host, name, torchNames, layout } = tensor;
  const [torchName] = torchNames as [string];
  const { hookKeys, dims } = normalizationAlike(host, name, layout!)!;
  const keyOf = (part: string, isLegacy: boolean): string =>
    joinPath(path, keyIn({ name: torchName, hookKeys }, part, isLegacy));
  const parts = partsOf(hookKeys);
  const isLegacy = [false, true].find((format) => parts.every((part) => keyOf(part, format) in tensors));
  if (isLegacy === undefined) return true; // in another key format: through the right inverse of the view
  const stored = Object.fromEntries(parts.map((part) => [part, tensors[keyOf(part, isLegacy)]!]));
  if (!hookKeys.fits(stored, dims)) return false;
  const isRival = (axis: number): boolean => axis !== dims[0] && hookKeys.fits(stored, [axis]);
  if (!layout!.torchShape.some((_, axis) => isRival(axis))) return true;
  // Lengths do not tell which axis it is; the recipe does, or else it is torch's.
  const steps = recipe.find((entry) => entry.path === path && entry.tensor === torchName)?.steps ?? [];
  const { dim = isTransposed ? 1 : 0 } = (steps[0]?.options ?? {}) as { dim?: unknown };
  return String(dim) === String(dims);
}

/** Repeats each tensor that has one value, or one for each channel, for all the elements that it stands for. */
const withBroadcast = (view: TorchView, tensors: NamedTensorMap): NamedTensorMap => {
  const all = { ...tensors };
  for (const { tensor, paths, mode } of view.tensors) {
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

const dataOf = ({ module }: TorchView): Map<string, object> =>
  new Map(Object.entries(module.stateDict()).map(([key, { dataId }]) => [key, dataId]));
