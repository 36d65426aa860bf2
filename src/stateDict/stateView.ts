import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { isObject } from '../core/guards.ts';
import type { LoadingNames } from '../nn/module/loadStateDict.ts';
import type { Module } from '../nn/module/module.ts';
import type { KeyFormat } from '../nn/stateDict/keyFormat.ts';
import type { KeyMapping } from '../nn/stateDict/keyMapping.ts';
import type { TiedKeys } from '../nn/stateDict/tiedKeys.ts';
import type { Catalog, TensorRecipe } from './recipe.ts';
import type { StateTensor } from './stateTensor.ts';

/**
 * The types of models that other entry points know besides modules: `tfjs-parametrize/layers` adds its own by
 * declaration merging.
 */
// biome-ignore lint/suspicious/noEmptyInterface: open for declaration merging
export interface ModelTypes {}

/** A model with a state that can be saved and loaded: a module, or a model of another framework. */
export type StatefulModel = Module | ModelTypes[keyof ModelTypes];

/** A tensor of a model, by its names in files. */
export interface StateEntry {
  /** Its path in the model, as the model's own framework has it: `dense.kernel`. */
  readonly path: string;
  /** Its shape in the model. */
  readonly shape: readonly number[];
  /** Its name in torch's module; two if it is the sum of two tensors there; none if torch has no such tensor. */
  readonly torchNames: readonly string[];
  /** Its shape in torch; null for a tensor that torch does not have. */
  readonly torchShape: readonly number[] | null;
  /** True if torch's tensor may be a vector that stands for all: of one element, or of one for each channel. */
  readonly isBroadcast?: boolean;
}

/** A part of a model that corresponds to one module of torch. */
export interface StatePart<T extends StateEntry = StateEntry> {
  /** The path of the module in a state dict. */
  readonly path: string;
  /** The path of what it is a part of, which has all of its keys below it: of the layer, for example. */
  readonly owner: string;
  /** True if its path is a name that somebody gave it, and not a number of its framework. */
  readonly isNamed: boolean;
  readonly tensors: readonly T[];
  /** True if it is a transposed convolution, whose output channels are axis 1. */
  readonly isTransposed?: boolean;
  /** Names of tensors of a module of torch that this looks like, and why it does not compute the same. */
  readonly refused?: { readonly names: RegExp; readonly why: string };
}

/** The tensors of a file that are loaded into a model. */
export interface StateLoading extends LoadingNames {
  /** By keys of the model, in any key format. */
  readonly tensors: NamedTensorMap;
  /** True if a missing or unexpected key is an error. */
  readonly strict: boolean;
  /** The recipe of the file, by keys of the model. */
  readonly recipe: readonly TensorRecipe[];
  /** The functions that follow the recipe; undefined: the recipe only says along which axes tensors are normalized. */
  readonly catalog: Catalog | undefined;
}

/** A tensor that was loaded. */
export interface LoadedTensor extends KeyMapping {
  /** True if the file has it normalized, and its weight was computed. */
  readonly isFolded: boolean;
}

/** The work that was done on each key. */
export interface LoadedState {
  /** From keys of the loading to paths in the model; each tensor that was loaded is in one of them. */
  readonly mapped: readonly LoadedTensor[];
  readonly missingKeys: readonly string[];
  readonly unexpectedKeys: readonly string[];
  /** The paths of the tensors that the recipe was followed on. */
  readonly registered: readonly string[];
}

/** The state of a model at one moment. */
export interface SavedState {
  /**
   * By torch's names and in torch's layout.
   *
   * @remarks
   * **Ownership**: the caller's.
   */
  readonly tensors: NamedTensorMap;
  readonly recipe: readonly TensorRecipe[];
}

/**
 * The state of a model: of a module, or of a model of another framework in torch's terms. Loading and saving know no
 * more of a model.
 */
export interface StateView {
  /** The class of the model, for messages. */
  readonly type: string;
  /** The modules or layers, in the order in which the model computes, as far as there is one. */
  readonly parts: readonly StatePart[];
  /** The other keys of tensors that are one. */
  readonly ties: TiedKeys;
  /** The differences from torch's defaults, and the facts that could not be told. */
  readonly notes: readonly string[];
  /** `namesAndShapes`: parts without a name of the file get the tensors that only they fit. */
  readonly matching: 'names' | 'namesAndShapes';
  /** Names of tensors that modules of torch have and no part of the model; null for none. */
  readonly ignored: RegExp | null;
  /** True if the model may take keys of which {@link partOf} knows no part. */
  readonly takesOtherKeys: boolean;
  /** The part that a key of a file is of, in any key format; undefined if the model has no such key. */
  partOf(key: string): StatePart | undefined;
  /** True if the model itself says which of two parts comes first. */
  areOrdered(a: StatePart, b: StatePart): boolean;
  /**
   * Writes tensors into the model, and registers the parametrizations of a recipe. All or nothing.
   *
   * @throws {@link StateDictError} if they do not fit
   * @throws {@link ParametrizeError} `UNKNOWN_RECIPE` if the model cannot follow the recipe
   */
  load(loading: StateLoading): LoadedState;
  /** Copies the state, in one key format if one is given. */
  save(keyFormat: KeyFormat | undefined): SavedState;
}

/** A model that is not a module, in torch's terms. Its parts have each tensor once. */
export interface TorchState extends Pick<StateView, 'type' | 'ties' | 'notes' | 'areOrdered'> {
  readonly parts: readonly StatePart<StateTensor>[];
}

/** A kind of model that is not a module: the contract that `tfjs-parametrize/layers` fills. */
export interface StateKind {
  accepts(model: object): boolean;
  /**
   * Looks at a model; reads no tensors.
   *
   * @throws `UNSUPPORTED_HOST`, `DISPOSED`
   */
  stateOf(caller: string, model: object): TorchState;
  /** Told when tensors of the model have been parametrized. */
  registered(caller: string, model: object): void;
}

const kinds: StateKind[] = [];

/** Adds a kind of model. */
export function registerStateKind(kind: StateKind): void {
  kinds.push(kind);
}

/** The kind that is responsible for a model, if one is. */
export const stateKindOf = (model: unknown): StateKind | undefined =>
  isObject(model) ? kinds.find((kind) => kind.accepts(model)) : undefined;
