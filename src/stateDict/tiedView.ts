import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../core/errors.ts';
import { joinPath } from '../core/paths.ts';
import { tieOf } from '../nn/module/normalizedTensor.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import type { RecipeTie, TensorRecipe } from './recipe.ts';
import type { RegisterTie } from './registerRecipes.ts';
import { nativeKey, type StateTensor } from './stateTensor.ts';
import type { StatePart } from './stateView.ts';
import type { TorchView, ViewTensor } from './torchView.ts';

/** True for a tensor that reads another tensor. */
export const isTied = ({ host, name }: Pick<StateTensor, 'host' | 'name'>): boolean =>
  tieOf(registrationOf(host, name)?.list ?? null) !== undefined;

/** True if a state dict has a tensor under a name of torch, in any key format. */
export function isStored({ torchNames }: StateTensor, { path }: StatePart, tensors: NamedTensorMap): boolean {
  const starts = torchNames.flatMap((name) => [`${name}_`, `parametrizations.${name}.`]);
  return Object.keys(tensors).some(
    (key) =>
      torchNames.some((name) => key === joinPath(path, name)) ||
      starts.some((start) => key.startsWith(joinPath(path, start))),
  );
}

/** A tie of a recipe that is made on the model after the view. */
export interface PlannedTying {
  readonly viewed: ViewTensor;
  tie(): void;
}

/**
 * Plans the ties of a recipe, for tensors that are not parametrized in the model. A tied tensor that the file lacks
 * leaves the view.
 *
 * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` for a tensor that the model lacks
 */
export function followTies(
  view: TorchView,
  recipe: readonly TensorRecipe[],
  tensors: NamedTensorMap,
  register: RegisterTie,
): PlannedTying[] {
  return recipe.flatMap((entry): PlannedTying[] => {
    const { path, tensor, tiedTo } = entry;
    if (tiedTo === undefined || view.tied.some((one) => one.path === path && one.tensor === tensor))
      return [];
    // The tied layer of the model may have another name, which no tensor of the file tells.
    if (view.find(entry) === undefined && view.tied.some((one) => hasSource(one, entry))) return [];
    const [viewed, source] = [found(view, entry, entry), found(view, entry, tiedTo)];
    const { host, name } = viewed.tensor;
    if (registrationOf(host, name) !== undefined) return [];
    if (!isStored(viewed.tensor, viewed.part, tensors)) view.makeNative(viewed, {});
    const to = { ...tiedTo, tensor: source.tensor.name };
    return [{ viewed, tie: () => register(host, name, source.tensor.host, to) }];
  });
}

/** Leaves out the parts of tensors that will be tied: they are those of their sources. */
export const withoutNative = (tensors: NamedTensorMap, ties: readonly PlannedTying[]): NamedTensorMap => {
  const starts = ties.map(({ viewed }) => nativeKey(viewed.tensor, ''));
  const isLeft = ([key]: [string, unknown]): boolean => !starts.some((start) => key.startsWith(start));
  return starts.length === 0 ? tensors : Object.fromEntries(Object.entries(tensors).filter(isLeft));
};

/** True if two tied tensors of the same name read the same source in the same way. */
const hasSource = (one: TensorRecipe, other: TensorRecipe): boolean =>
  one.tensor === other.tensor &&
  one.tiedTo?.path === other.tiedTo?.path &&
  one.tiedTo?.tensor === other.tiedTo?.tensor &&
  one.tiedTo?.transpose === other.tiedTo?.transpose;

function found(view: TorchView, entry: TensorRecipe, place: Pick<RecipeTie, 'path' | 'tensor'>): ViewTensor {
  const viewed = view.find(place);
  if (viewed !== undefined) return viewed;
  throw new ParametrizeError('UNKNOWN_RECIPE', {
    fact: `'${joinPath(entry.path, entry.tensor)}' was tied, and the model has no tensor '${joinPath(place.path, place.tensor)}'`,
    remedy: 'Load into the model that was saved, or without a catalog.',
  });
}
