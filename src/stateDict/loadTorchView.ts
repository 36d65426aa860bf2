import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { joinPath } from '../core/paths.ts';
import { scoped } from '../engine/scope.ts';
import { type LoadingFacts, loadStateDict, StateDictError } from '../nn/module/loadStateDict.ts';
import { normalizedTensors } from '../nn/module/normalizedTensor.ts';
import { knownHookKeys } from '../nn/stateDict/hookKeys.ts';
import { keyIn, partsOf } from '../nn/stateDict/stateKeys.ts';
import { formulaByRecipe } from './formulaByRecipe.ts';
import { isBroadcast } from './isBroadcast.ts';
import { normalizationAlike } from './normalizationAlike.ts';
import type { TensorRecipe } from './recipe.ts';
import { keyOf, nativeKey, type StateTensor } from './stateTensor.ts';
import type { LoadedState, StateLoading, StatePart, TorchState } from './stateView.ts';
import { followTies, isStored, isTied, withoutNative } from './tiedView.ts';
import { type ChooseMode, TorchView } from './torchView.ts';
import { viewMappings } from './viewMappings.ts';
import { followRecipe, registering } from './viewRecipe.ts';
import { viewWrites } from './viewWrites.ts';

/**
 * Loads a state dict into a model that is not a module, through a module that has its state in torch's layout. A failed
 * call changes nothing.
 *
 * @param registered - called after tensors of the model were parametrized
 * @throws {@link StateDictError} if the state dict does not fit
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE`
 */
export function loadTorchView(
  state: TorchState,
  { tensors, strict, recipe, catalog, tie, ...names }: StateLoading,
  registered: () => void,
): LoadedState {
  const view = new TorchView(state, chooserFor(state, tensors, recipe));
  try {
    return scoped('loadCheckpoint', () => {
      const planned = catalog === undefined ? [] : followRecipe(view, recipe, catalog, tensors);
      const ties = tie === undefined ? [] : followTies(view, recipe, tensors, tie);
      const before = dataOf(view);
      const untied = withoutNative(tensors, ties);
      const facts = { ...names, formulaOf: formulaByRecipe(recipe, catalog) };
      checkNative(view, facts);
      const report = loadStateDict(view.module, withBroadcast(view, untied), { strict }, facts, state.ties);
      const after = dataOf(view);
      const later = new Set(planned.map(({ viewed }) => viewed));
      const written = view.tensors.filter(
        (tensor) =>
          !later.has(tensor) &&
          !isTied(tensor.tensor) &&
          [...tensor.paths.keys()].some((key) => after.get(key) !== before.get(key)),
      );
      const writes = written.flatMap(viewWrites);
      registering(planned, () => {
        const values = [...later].flatMap(viewWrites);
        if (planned.length > 0) registered();
        for (const [variable, value] of [...writes, ...values]) variable.assign(value);
        for (const one of ties) one.tie();
        if (ties.length > 0) registered();
      });
      return {
        mapped: viewMappings(view, report, untied, state.ties),
        missingKeys: report.missingKeys,
        unexpectedKeys: report.unexpectedKeys,
        registered: [...later, ...ties.map(({ viewed }) => viewed)].map(({ tensor }) => tensor.path),
      };
    });
  } finally {
    view.dispose();
  }
}

/**
 * Refuses parts in the names of the model that another map than that of the model has made. They have the same names.
 *
 * @throws {@link StateDictError}
 */
function checkNative({ tensors }: TorchView, { caller, what, formulaOf }: LoadingFacts): void {
  for (const { mode, tensor, variables } of tensors) {
    const { host, hostPath, name, path } = tensor;
    const own = normalizedTensors(host).find((one) => one.name === name);
    const formula = formulaOf?.(joinPath(hostPath, name));
    if (mode !== 'native' || own === undefined || formula === undefined) continue;
    const keys = own.hookKeys ?? knownHookKeys().find(({ kind }) => kind === formula);
    const isWhole = keys !== undefined && partsOf(keys).every((part) => variables.has(part));
    if (!isWhole || formula === (own.hookKeys?.kind ?? null)) continue;
    throw new StateDictError(
      {
        caller,
        fact: `the ${what} does not fit: the parts of '${path}' belong to another map than that of the model. Nothing was loaded`,
        remedy: 'Register the same map first, or load the file with a catalog into a plain tensor.',
      },
      [],
      [],
    );
  }
}

/**
 * Chooses the mode of a tensor in the view that fits the file best. It is normalized only if the file has norms along
 * the same axes. Otherwise the value is computed, and the model's own parametrization gets it through its right
 * inverse. A tied tensor with another order of elements is not in the view: its value goes to its source.
 */
function chooserFor(
  { ties }: TorchState,
  tensors: NamedTensorMap,
  recipe: readonly TensorRecipe[],
): ChooseMode {
  const keys = Object.keys(tensors);
  const isConverted = (tensor: StateTensor, part: StatePart): boolean => {
    const key = keyOf(tensor, part);
    return ties.sourceOf(key) !== ties.firstOf(key);
  };
  return (tensor, part, possible) => {
    if (isConverted(tensor, part)) return null;
    if (possible.length === 1) return possible[0]!;
    if (isTied(tensor)) return isStored(tensor, part, tensors) ? possible.at(-1)! : 'native';
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
  if (isLegacy === undefined) return true; // another key format, which goes through the right inverse of the view
  const stored = Object.fromEntries(parts.map((part) => [part, tensors[keyOf(part, isLegacy)]!]));
  if (!hookKeys.fits(stored, dims)) return false;
  const isRival = (axis: number): boolean => axis !== dims[0] && hookKeys.fits(stored, [axis]);
  if (!layout!.torchShape.some((_, axis) => isRival(axis))) return true;
  // Lengths do not identify the axis. The recipe does; without one, the axis is torch's default.
  const steps = recipe.find((entry) => entry.path === path && entry.tensor === torchName)?.steps ?? [];
  const { dim = isTransposed ? 1 : 0 } = (steps[0]?.options ?? {}) as { dim?: unknown };
  return String(dim) === String(dims);
}

/** Broadcasts each tensor that has one value, or one value for each channel. */
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
