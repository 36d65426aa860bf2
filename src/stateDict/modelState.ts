import type { Variable } from '@tensorflow/tfjs-core';
import { isObject } from '../core/guards.ts';
import type { Module } from '../nn/module/module.ts';
import type { TiedKeys } from '../nn/stateDict/tiedKeys.ts';
import type { Layout } from './layout.ts';

/**
 * The types of models that other entry points know besides modules: `tfjs-parametrize/layers` adds its own by
 * declaration merging.
 */
// biome-ignore lint/suspicious/noEmptyInterface: open for declaration merging
export interface ModelTypes {}

/** A model with a state that can be saved and loaded: a module, or a model of another framework. */
export type StatefulModel = Module | ModelTypes[keyof ModelTypes];

/** One tensor of a model that is not a module. */
export interface StateTensor {
  /** Its path in the model, as the model's own framework has it: `dense.kernel`. */
  readonly path: string;
  /** The host that it can be parametrized on. */
  readonly host: object;
  /** The path of the host in the model. */
  readonly hostPath: string;
  /** Its name in the host. */
  readonly name: string;
  /** The same object for tensors that are one. */
  readonly identity: object;
  /** Its shape in the model. */
  readonly shape: readonly number[];
  /** The variable that it is, unless it is parametrized. */
  variable(): Variable;
  /** Its name in torch's module; two if it is the sum of two tensors there; none if torch has no such tensor. */
  readonly torchNames: readonly string[];
  /** Its layout in torch; null for a tensor that torch does not have. */
  readonly layout: Layout | null;
  /** True if torch's tensor may be a vector that stands for all: of one element, or of one for each channel. */
  readonly isBroadcast?: boolean;
  /** True if it is a buffer in torch. */
  readonly isBuffer?: boolean;
}

/** A part of a model that corresponds to one module of torch. */
export interface StatePart {
  /** The path of the module in a state dict. */
  readonly path: string;
  /** The path of what it is a part of, which has all of its keys below it: of the layer, for example. */
  readonly owner: string;
  /** True if its path is a name that somebody gave it, and not a number of its framework. */
  readonly isNamed: boolean;
  readonly tensors: readonly StateTensor[];
  /** True if it is a transposed convolution, whose output channels are axis 1. */
  readonly isTransposed?: boolean;
  /** Names of tensors of a module of torch that this looks like, and why it does not compute the same. */
  readonly refused?: { readonly names: RegExp; readonly why: string };
}

/** A model in torch's terms. */
export interface ModelState {
  /** Its class, for messages. */
  readonly type: string;
  /** In the order in which the model computes, as far as there is one. */
  readonly parts: readonly StatePart[];
  /** The other keys of tensors that are one; {@link parts} have each tensor once. */
  readonly ties: TiedKeys;
  /** The differences from torch's defaults, and the facts that could not be told. */
  readonly notes: readonly string[];
  /** True if the model itself says which of two parts comes first. */
  areOrdered(a: StatePart, b: StatePart): boolean;
}

/** A kind of model that is not a module: the contract that `tfjs-parametrize/layers` fills. */
export interface StateKind {
  accepts(model: object): boolean;
  /**
   * Looks at a model; reads no tensors.
   *
   * @throws `UNSUPPORTED_HOST`, `DISPOSED`
   */
  stateOf(caller: string, model: object): ModelState;
  /** Told when tensors of the model have been parametrized. */
  registered(model: object): void;
}

const kinds: StateKind[] = [];

/** Adds a kind of model. */
export function registerStateKind(kind: StateKind): void {
  kinds.push(kind);
}

/** The kind that is responsible for a model, if one is. */
export const stateKindOf = (model: unknown): StateKind | undefined =>
  isObject(model) ? kinds.find((kind) => kind.accepts(model)) : undefined;
