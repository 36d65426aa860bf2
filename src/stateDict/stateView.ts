import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import { isObject } from '../core/guards.ts';
import type { LoadingNames } from '../nn/module/loadStateDict.ts';
import type { Module } from '../nn/module/module.ts';
import type { KeyMapping } from '../nn/stateDict/keyMapping.ts';
import type { TiedKeys } from '../nn/stateDict/tiedKeys.ts';
import type { ParametrizationList } from '../parametrize/chain/parametrizationList.ts';
import type { Catalog, TensorRecipe } from './recipe.ts';
import type { RegisterTie } from './registerRecipes.ts';
import type { StateTensor } from './stateTensor.ts';

/** The types of models other than modules. `tfjs-parametrize/layers` adds its types by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: open for declaration merging
export interface ModelTypes {}

/** A model with a state that can be saved and loaded: a module, or a model of another framework. */
export type StatefulModel = Module | ModelTypes[keyof ModelTypes];

/** A tensor of a model, by its names in files. */
export interface StateEntry {
  /** The path in the model, in the names of the model's framework: `dense.kernel`. */
  readonly path: string;
  /** The shape in the model. */
  readonly shape: readonly number[];
  /**
   * The name in torch's module. Two names if it is the sum of two tensors in torch; none if torch has no such tensor.
   */
  readonly torchNames: readonly string[];
  /** The shape in torch; null for a tensor that torch does not have. */
  readonly torchShape: readonly number[] | null;
  /** True if torch's tensor may be a vector that is broadcast: with one element, or one for each channel. */
  readonly isBroadcast?: boolean;
}

/** A part of a model that corresponds to one module of torch. */
export interface StatePart<T extends StateEntry = StateEntry> {
  /** The path of the module in a state dict. */
  readonly path: string;
  /** The path of the owner, such as a layer. All keys of the part are below it. */
  readonly owner: string;
  /** True if the path is a given name and not a generated one. */
  readonly isNamed: boolean;
  readonly tensors: readonly T[];
  /** True for a transposed convolution, with the output channels on axis 1. */
  readonly isTransposed?: boolean;
  /** The tensor names of a similar module of torch, and the reason why it computes another result. */
  readonly refused?: { readonly names: RegExp; readonly why: string };
}

/** The tensors of a file that are loaded into a model. */
export interface StateLoading extends LoadingNames {
  /** The tensors by keys of the model, in any key format. */
  readonly tensors: NamedTensorMap;
  /** True if a missing or unexpected key is an error. */
  readonly strict: boolean;
  /** The recipe of the file, by keys of the model. */
  readonly recipe: readonly TensorRecipe[];
  /** The functions that follow the recipe. Without them, the recipe only determines the axes of normalized tensors. */
  readonly catalog: Catalog | undefined;
  /** Given if the recipe has ties. */
  readonly tie?: RegisterTie | undefined;
}

/** A tensor that was loaded. */
export interface LoadedTensor extends KeyMapping {
  /** True if the tensor is normalized in the file, so its weight was computed. */
  readonly isFolded: boolean;
}

/** The result of a loading. */
export interface LoadedState {
  /** The mappings from keys of the loading to paths in the model. Each loaded tensor is in one of them. */
  readonly mapped: readonly LoadedTensor[];
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
  /** The paths of the tensors that were parametrized by the recipe. */
  readonly registered: readonly string[];
}

/** The state of a model at one moment. */
export interface SavedState {
  /**
   * The tensors, with torch's names and layout.
   *
   * @remarks
   * **Ownership**: the tensors belong to the caller.
   */
  readonly tensors: NamedTensorMap;
  readonly recipe: readonly TensorRecipe[];
}

/**
 * The state of a module, or of a model of another framework in torch's terms. Loading and saving use only this view of
 * a model.
 */
export interface StateView {
  /** The class of the model, for messages. */
  readonly type: string;
  /** The modules or layers, in the order of computing if the model has one. */
  readonly parts: readonly StatePart[];
  /** The other keys of tied tensors. */
  readonly ties: TiedKeys;
  /** The differences from torch's defaults, and the facts that are unknown. */
  readonly notes: readonly string[];
  /** `namesAndShapes`: a part without a name in the file gets the module that fits only this part. */
  readonly matching: 'names' | 'namesAndShapes';
  /** The names of tensors that only modules of torch have; null for none. */
  readonly ignored: RegExp | null;
  /** True if the model may accept keys without a part in {@link partOf}. */
  readonly takesOtherKeys: boolean;
  /** Returns the part of a key of a file, in any key format, or undefined. */
  partOf(key: string): StatePart | undefined;
  /** True if the model determines the order of two parts. */
  areOrdered(a: StatePart, b: StatePart): boolean;
  /**
   * Writes tensors into the model, and registers the parametrizations of a recipe, all or none.
   *
   * @throws {@link StateDictError} if the tensors do not fit
   * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` if the model cannot follow the recipe
   */
  load(loading: StateLoading): LoadedState;
}

/** A model that is not a module, in torch's terms. Its parts have each tensor once. */
export interface TorchState extends Pick<StateView, 'type' | 'ties' | 'notes' | 'areOrdered'> {
  readonly parts: readonly StatePart<StateTensor>[];
  /** The recipe of tied tensors. Those with the same tensor in torch are in no part. */
  readonly tied: readonly TensorRecipe[];
}

/** A model as its framework saves it, with plain weights. */
export interface PlainModel {
  /** The structure, as data. */
  readonly topology: object;
  /** The metadata that the program has set. */
  readonly metadata: object;
  /** The weights in the order of the file. */
  readonly weights: readonly {
    readonly name: string;
    /** The value, parametrized or not, without the side effects of a read. It lives as long as the innermost tidy. */
    readonly value: Tensor;
    /** The chain that computes the weight, or null. */
    readonly list: ParametrizationList | null;
  }[];
}

/** A kind of model that is not a module. `tfjs-parametrize/layers` implements it. */
export interface StateKind {
  accepts(model: object): boolean;
  /**
   * Returns the state of a model without reading tensors.
   *
   * @throws `UNSUPPORTED_HOST`, `DISPOSED`
   */
  stateOf(caller: string, model: object): TorchState;
  /**
   * Returns a model as its framework saves it. Call it in a tidy.
   *
   * @throws `UNSUPPORTED_HOST` for a part of a model
   */
  plainModel(caller: string, model: object): PlainModel;
  /** Called after tensors of the model were parametrized. */
  registered(caller: string, model: object): void;
}

const kinds: StateKind[] = [];

/** Adds a kind of model. */
export function registerStateKind(kind: StateKind): void {
  kinds.push(kind);
}

/** Returns the kind of a model, or undefined. */
export const stateKindOf = (model: unknown): StateKind | undefined =>
  isObject(model) ? kinds.find((kind) => kind.accepts(model)) : undefined;
