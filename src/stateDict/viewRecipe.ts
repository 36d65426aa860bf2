import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { namedState } from '../nn/module/fields.ts';
import { normalizedTensors } from '../nn/module/normalizedTensor.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { configOf, definitionOf } from '../parametrize/definition.ts';
import type { Parametrization } from '../parametrize/parametrization.ts';
import { transaction } from '../parametrize/transaction.ts';
import { freezeOriginals, frozenOriginals } from './frozenOriginals.ts';
import { axesOption, mainAxesOf } from './normalizationAlike.ts';
import { type Catalog, checkInCatalog, type TensorRecipe } from './recipe.ts';
import { registerSteps } from './registerStep.ts';
import { tensorRecipes } from './tensorRecipes.ts';
import { isTied } from './tiedView.ts';
import type { TorchView, ViewTensor } from './torchView.ts';

/**
 * Returns the recipe of the tensors of a model. It has torch's names and axes if torch can have the same
 * parametrization, else the model's own.
 */
export function viewRecipe(view: TorchView): TensorRecipe[] {
  const native = view.tensors
    .filter(({ tensor, mode }) => mode === 'native' && !isTied(tensor))
    .flatMap(({ tensor: { host, hostPath, name } }) =>
      tensorRecipes(host)
        .filter(({ path, tensor }) => path === '' && tensor === name)
        .map((entry) => ({ ...entry, path: hostPath })),
    );
  // The variables of the view are copies, so the originals of the model tell whether they are trained.
  const normalized = tensorRecipes(view.module).map(({ frozen: _, ...entry }) => {
    const { tensor } = view.tensors.find(
      ({ part, tensor: own, mode }) =>
        mode === 'normalized' && part.path === entry.path && own.torchNames.includes(entry.tensor),
    )!;
    return { ...entry, ...frozenOriginals(registrationOf(tensor.host, tensor.name)!.list) };
  });
  return [...normalized, ...native, ...view.tied];
}

/** A parametrization of a recipe that is registered on the model after the view. */
export interface PlannedRegistration {
  readonly viewed: ViewTensor;
  readonly entry: TensorRecipe;
  /** Registers the parametrization on the tensor of the model. */
  register(): void;
}

/**
 * Registers the steps of a recipe on a view, for tensors that are not parametrized in the model. If the model cannot
 * have the same normalization, only the view gets it, and the model gets the value.
 *
 * @param tensors - the tensors that will be loaded
 * @returns the registrations for the model
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a kind that the catalog lacks, or a tensor that the model lacks
 */
export function followRecipe(
  view: TorchView,
  recipe: readonly TensorRecipe[],
  catalog: Catalog,
  tensors: NamedTensorMap,
): PlannedRegistration[] {
  return recipe.flatMap((entry): PlannedRegistration[] => {
    const { path, tensor, steps, tiedTo } = entry;
    if (tiedTo !== undefined) return [];
    const label = joinPath(path, tensor);
    const found = view.find(entry);
    if (found === undefined) {
      throw new ParametrizeError('UNKNOWN_RECIPE', {
        fact: `'${label}' was parametrized, and the model has no such tensor`,
        remedy: 'Load into the model that was saved, or without a catalog.',
      });
    }
    const { host, name, torchNames } = found.tensor;
    if (registrationOf(host, name) !== undefined) return [];
    checkInCatalog(entry, catalog);
    const register = (on: object, as: string, more: object = {}): void => {
      const wanted = steps.map(({ kind, options }) => ({ kind, options: { ...options, ...more } }));
      registerSteps(on, as, wanted, catalog);
    };
    if (!torchNames.includes(tensor)) {
      view.makeNative(found, tensors);
      return [{ viewed: found, entry, register: () => register(host, name) }];
    }
    register(found.module, tensor);
    view.parametrized(found, tensor);
    const more = axesInModel(found, tensor);
    if (more === null) return [];
    found.mode = 'normalized';
    return [{ viewed: found, entry, register: () => register(host, name, more) }];
  });
}

/** Returns the option for the axes in the model of a registration in the view, or null if the model cannot have it. */
function axesInModel(
  { module, tensor: { layout } }: ViewTensor,
  torchName: string,
): Record<string, unknown> | null {
  const normalized = normalizedTensors(module).find(({ name }) => name === torchName);
  if (normalized === undefined || normalized.hookKeys === null || layout === null) return null;
  const map = registrationOf(module, torchName)!.list[0] as Parametrization;
  const definition = definitionOf(map)!;
  const axes = layout.axes(mainAxesOf(map, layout.torchShape.length));
  if (axes === null) return null;
  // An additional axis of length 1 does not change the matrix.
  const long = axes.filter((axis) => layout.shape[axis] !== 1);
  const config = configOf(definition, map);
  return (
    axesOption(definition, config, axes) ??
    axesOption(definition, config, long.length === 0 ? axes.slice(0, 1) : long)
  );
}

/**
 * Makes the planned registrations on the model, all or none, then runs `then`. If that throws, everything is undone.
 */
export function registering<T>(planned: readonly PlannedRegistration[], then: () => T): T {
  return transaction(() => {
    for (const { viewed, entry, register } of planned) {
      register();
      checkRegistered(viewed);
      freezeOriginals(viewed.tensor.host, viewed.tensor.name, entry);
    }
    return then();
  });
}

/** Checks that the parametrization that a function of the catalog has registered has the saved state. */
function checkRegistered({ tensor: { host, name, path }, variables, mode }: ViewTensor): void {
  const registration = registrationOf(host, name);
  const state = registration === undefined ? [] : namedState(registration.list);
  const isWhole =
    mode === 'normalized'
      ? normalizedTensors(host).some((tensor) => tensor.name === name && tensor.hookKeys !== null)
      : state.length === variables.size &&
        state.every(([key, { shape }]) => tf.util.arraysEqual(variables.get(key)?.shape ?? [-1], shape));
  if (isWhole) return;
  throw new ParametrizeError('UNKNOWN_RECIPE', {
    fact: `'${path}': what the catalog registers has another state than what was saved`,
    remedy: 'Give the catalog the function that was used then.',
  });
}
