import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkOptions } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import type { HookKeys } from '../nn/stateDict/hookKeys.ts';
import type { Parametrization } from './parametrization.ts';
import type { SetDefinition } from './setDefinition.ts';

/** One option of a parametrization. */
export interface OptionDefinition<T> {
  /** The default value. Without it, `make` finds the value from the tensor. */
  readonly default?: T;
  /** True if the printed parametrization omits the option while it has its default. */
  readonly isQuiet?: boolean;
  /** The allowed values, for messages: `a number of at least 0`. */
  readonly expected: string;
  /** True if a value is valid for some tensor. */
  accepts(value: T): boolean;
}

/** One original of a parametrization. */
export interface OriginalDefinition {
  /** True if optimizers train the original. Default: as the tensor was. */
  readonly trainable?: boolean;
}

/** The tensor that a parametrization is made for. */
export interface TargetTensor {
  /** The current value, which `make` must not dispose. The read has not advanced any state. */
  readonly value: Tensor;
  /**
   * The axis that numbers the outputs of the host: 0, or 1 on a transposed convolution, or the axis of a layer of
   * tf.layers.
   */
  readonly outputAxis: number;
  /** All axes that number the outputs of a layer of tf.layers; null on modules and plain objects. */
  readonly outputAxes: readonly number[] | null;
  /**
   * The axes that number the features that the host computes: those of the outputs, or of the vectors of an
   * embedding.
   */
  readonly featureAxes: readonly number[];
}

/** The effect of a second call of a function on a tensor that has its parametrization already. */
export interface SecondCallDefinition<P extends Parametrization, O extends object> {
  /**
   * Tells what the call would do: nothing (`'unchanged'`), change the parametrization, or refuse the options because
   * they contradict it.
   */
  plan(present: P, options: O): 'unchanged' | 'change' | 'conflict';
  /**
   * Changes the parametrization. The value of the target is the one that the parametrization maps. It runs in a
   * transaction, which takes back fields, new variables and assigned values if it throws. Variables that it removes
   * are disposed at the commit.
   *
   * @returns a function that takes the change back later, as long as the parametrization is registered
   * @throws {@link ParametrizeError} `CONFLICT` for options that contradict it
   */
  change(present: P, options: O, target: TargetTensor): () => void;
}

/** The axes of a parametrization. */
export interface AxesDefinition<O extends object> {
  /** The option that holds the axes. */
  readonly option: keyof O & string;
  /** The parts that are vectors, by their names in the state dict: along these axes (`rows`) or along all others. */
  readonly vectors?: Readonly<Record<string, 'rows' | 'columns'>>;
}

/** A class of parametrizations with any constructor. */
type MapClass<P extends Parametrization> = abstract new (...args: never[]) => P;

/** The definition of a parametrization, without its mathematics; see {@link defineParametrization}. */
export interface ParametrizationDefinition<
  P extends Parametrization,
  O extends object,
  S extends object = object,
> {
  /** The name of the function in recipes, files and messages. The name of the class has a capital letter first. */
  readonly name: string;
  /** The class of the map. */
  readonly class: MapClass<P>;
  /**
   * The peak memory of a registration and a gradient of the value, in tensors of the size of the value, for the worst
   * shape. On wasm, a registration without room is refused. Default 4, for maps that take little memory or check for
   * room themselves.
   */
  readonly copies?: number;
  /**
   * True if `forward` reads only fields that the constructor makes. Then a read does not search for new fields, and is
   * faster. Default false; subclasses do not inherit it.
   */
  readonly hasFixedFields?: boolean;
  /** The options, in the order of printing. */
  readonly options: { readonly [K in keyof O]-?: OptionDefinition<Required<O>[K]> };
  /**
   * Refuses options that contradict each other.
   *
   * @throws {@link ParametrizeError} `OPTION`
   */
  check?(options: Required<O>): void;
  /** Makes the parametrization for a tensor from the given options. */
  make(target: TargetTensor, options: O): P;
  /** The originals by their additional names, in the order of `original0`, `original1`, …. */
  readonly originals?: Readonly<Record<string, OriginalDefinition>>;
  /**
   * Returns the shape of the tensor from the shapes of its originals. Default: the shape of the last original.
   *
   * @param originals - the shapes in the order of the arguments of `forward`
   * @param options - the options of the parametrization
   */
  shape?(originals: readonly (readonly number[])[], options: Required<O>): readonly number[];
  /** The names of the parts in torch's older API, with their formula. */
  readonly hookKeys?: HookKeys;
  /** Returns false for options with which the originals are not those of {@link hookKeys}. Default: true for all. */
  hasHookKeys?(options: O): boolean;
  /**
   * True if the map trains parameters of its own in place of what it maps. While it is registered, the originals and
   * the parameters of earlier maps are not trained; removal gives their flags back.
   */
  readonly freezesBase?: boolean;
  /**
   * The effect of a second call of the function on the same tensor: it changes the parametrization that is there.
   * Without it, a second call registers another one.
   */
  readonly secondCall?: SecondCallDefinition<P, O>;
  /** The axes of the parametrization, for other layouts of the tensor. */
  readonly axes?: AxesDefinition<O>;
  /**
   * Returns the options with which {@link make} makes the same parametrization. Default: the fields of the same names.
   */
  config?(parametrization: P): O;
  /** The set of the values, if the map constrains them. */
  readonly set?: SetDefinition<O, S>;
}

/** A definition of any type. */
export type AnyDefinition = ParametrizationDefinition<Parametrization, Readonly<Record<string, unknown>>>;

/** The key of the definition on the prototype of a class and on the function of the catalog. */
const DEFINITION: unique symbol = Symbol.for('tfjs-parametrize.definition') as never;

/**
 * Returns the definition of a parametrization, of the prototype of its class, or of its function; undefined for other
 * values.
 */
export const definitionOf = (value: unknown): AnyDefinition | undefined =>
  (value as { [DEFINITION]?: AnyDefinition } | null | undefined)?.[DEFINITION];

const functions = new Map<string, object>();

/** Returns the functions that definitions have made, by name. */
export const definedFunctions = (): ReadonlyMap<string, object> => functions;

/** Notes the function of a definition. A later function of the same name replaces it, as when a module is reloaded. */
export function enterFunction(name: string, register: object): void {
  functions.set(name, register);
}

/** Notes the definition of the objects of a class and of a function. */
export function setDefinition(target: object, definition: AnyDefinition): void {
  Object.defineProperty(target, DEFINITION, { value: definition });
}

/**
 * Returns a copy of the options of a call, without undefined ones.
 *
 * @param caller - for messages
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkedOptions<O extends object>(
  definition: ParametrizationDefinition<Parametrization, O>,
  caller: string,
  given: O,
): O {
  const { options: known } = definition;
  const names = Object.keys(known) as (keyof O & string)[];
  checkOptions(caller, given, names);
  const there = names.filter((name) => given[name] !== undefined);
  for (const name of there) checkOption(known[name], caller, name, given[name]);
  const options = Object.fromEntries(there.map((name) => [name, given[name]])) as O;
  definition.check?.(withDefaults(definition, options));
  return options;
}

/**
 * Refuses an invalid value of an option.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkOption<T>(
  { expected, accepts }: OptionDefinition<T>,
  caller: string,
  name: string,
  value: T,
): void {
  if (accepts(value)) return;
  const text = typeof value === 'string' ? `'${value}'` : valueText(value);
  throw refusal('OPTION', caller, `${name} is ${text}, it must be ${expected}`);
}

/** Returns options completed by the defaults. */
export const withDefaults = <O extends object>(
  { options: known }: ParametrizationDefinition<Parametrization, O>,
  given: O,
): Required<O> => {
  const defaults = Object.keys(known).map((name) => [name, known[name as keyof O].default]);
  return { ...(Object.fromEntries(defaults) as O), ...given } as Required<O>;
};

/**
 * Returns the options with which a parametrization can be made again, in the order of its definition. Options that have
 * no value are left out.
 */
export function configOf(
  definition: AnyDefinition,
  parametrization: Parametrization,
): Record<string, unknown> {
  const config =
    definition.config?.(parametrization) ?? (parametrization as unknown as Record<string, unknown>);
  const entries = Object.keys(definition.options).map((name) => [name, config[name]] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Formats the options of a parametrization: `dim=0, eps=1e-6`. */
export function optionsText(definition: AnyDefinition, parametrization: Parametrization): string {
  return Object.entries(configOf(definition, parametrization))
    .filter(([name, value]) => {
      const { isQuiet, default: initial } = definition.options[name]!;
      return isQuiet !== true || value !== initial;
    })
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(', ');
}

/** Formats a value. A list with one element is shown as the element, a function as its name, a tensor as its shape. */
export function valueText(value: unknown): string {
  // The text of a tensor has its numbers, which a device may still compute.
  if (value instanceof tf.Tensor) return `a tensor of shape ${formatShape(value.shape)}`;
  if (typeof value === 'function') return value.name || 'a function';
  return Array.isArray(value) && value.length !== 1 ? `[${value.join(', ')}]` : String(value);
}
