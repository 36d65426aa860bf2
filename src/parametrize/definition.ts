import type { Tensor } from '@tensorflow/tfjs-core';
import { checkOptions } from '../core/checkOptions.ts';
import { refusal } from '../core/errors.ts';
import type { HookKeys } from '../nn/stateDict/hookKeys.ts';
import type { Parametrization } from './parametrization.ts';

/** One option of a parametrization. */
export interface OptionDefinition<T> {
  /** The value of an option that is not given. Absent: `make` finds it from the tensor. */
  readonly default?: T;
  /** True if the printed parametrization leaves the option out while it has its default. */
  readonly isQuiet?: boolean;
  /** The values that it may have, for messages: `a number of at least 0`. */
  readonly expected: string;
  /** True if a value makes sense on some tensor. */
  accepts(value: T): boolean;
}

/** One original of a parametrization. */
export interface OriginalDefinition {
  /** True if optimizers train it. Default: as the tensor was. */
  readonly trainable?: boolean;
}

/** The tensor that a parametrization is made for. */
export interface TargetTensor {
  /** The current value, which is not to be disposed. The read has advanced no state. */
  readonly value: Tensor;
  /**
   * The axis that numbers the outputs of the host: 0, on a transposed convolution 1, on tf.layers that of the layer.
   */
  readonly outputAxis: number;
  /** All axes that number the outputs of a layer of tf.layers; null on modules and plain objects. */
  readonly outputAxes: readonly number[] | null;
}

/** The axes that a parametrization is along. */
export interface AxesDefinition<O extends object> {
  /** The option that says them. */
  readonly option: keyof O & string;
  /** The parts, by their names in the state dict, that are vectors: along these axes (`rows`) or along all others. */
  readonly vectors?: Readonly<Record<string, 'rows' | 'columns'>>;
}

/** A class of parametrizations, whatever its constructor takes. */
type MapClass<P extends Parametrization> = abstract new (...args: never[]) => P;

/** All that there is to know about a parametrization besides its mathematics; see {@link defineParametrization}. */
export interface ParametrizationDefinition<P extends Parametrization, O extends object> {
  /** The name of the function, in recipes, files and messages. With a capital it is the name of the class. */
  readonly name: string;
  /** The class of the map. */
  readonly class: MapClass<P>;
  /**
   * The peak of the memory that a registration and a gradient of the value take, in tensors of the size of the value,
   * for the shape that takes the most. The wasm backend refuses a registration that it has no room for. Default 4, for
   * maps that take little or that check the room themselves.
   */
  readonly copies?: number;
  /**
   * True if `forward` reads no field but those that the constructor makes. Then a read does not look for further ones,
   * and is faster. Default false; classes that extend the class say it anew.
   */
  readonly hasFixedFields?: boolean;
  /** Its options, in the order in which they are printed. */
  readonly options: { readonly [K in keyof O]-?: OptionDefinition<Required<O>[K]> };
  /**
   * Refuses options that do not go together.
   *
   * @throws {@link ParametrizeError} `OPTION`
   */
  check?(options: Required<O>): void;
  /** Makes the parametrization for a tensor, from options as they were given. */
  make(target: TargetTensor, options: O): P;
  /** Its originals by the names that they have besides `original` or `original0`, `original1`, …, in that order. */
  readonly originals?: Readonly<Record<string, OriginalDefinition>>;
  /**
   * The shape of the tensor, from those of its originals. Default: that of the last original.
   *
   * @param originals - the shapes in the order of the arguments of `forward`
   */
  shape?(originals: readonly (readonly number[])[]): readonly number[];
  /** The names of the parts in torch's older API, and the value that they have. */
  readonly hookKeys?: HookKeys;
  /** The axes of the tensor that the parametrization is along, for other layouts of the tensor. */
  readonly axes?: AxesDefinition<O>;
  /** The options with which {@link make} gives the same again. Default: the fields of those names. */
  config?(parametrization: P): O;
}

/** A definition whose types do not matter. */
export type AnyDefinition = ParametrizationDefinition<Parametrization, Readonly<Record<string, unknown>>>;

/** The key under which the prototype of a class, and the function of the catalog, have their definition. */
const DEFINITION: unique symbol = Symbol.for('tfjs-parametrize.definition') as never;

/**
 * The definition of a parametrization, of the prototype of its class or of its function; undefined for anything else.
 */
export const definitionOf = (value: unknown): AnyDefinition | undefined =>
  (value as { [DEFINITION]?: AnyDefinition } | null | undefined)?.[DEFINITION];

const functions = new Map<string, object>();

/** The functions that definitions have made so far, by name. */
export const definedFunctions = (): ReadonlyMap<string, object> => functions;

/**
 * Notes the function that a definition has made. A later function of the same name replaces it, as when a module is
 * loaded anew.
 */
export function enterFunction(name: string, register: object): void {
  functions.set(name, register);
}

/** Notes what defines the objects of a class and a function. */
export function setDefinition(target: object, definition: AnyDefinition): void {
  Object.defineProperty(target, DEFINITION, { value: definition });
}

/**
 * A copy of the options of a call, without those that are undefined.
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
 * Refuses a value that an option cannot have.
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

/** Options with the defaults of those that are not given. */
export const withDefaults = <O extends object>(
  { options: known }: ParametrizationDefinition<Parametrization, O>,
  given: O,
): Required<O> => {
  const defaults = Object.keys(known).map((name) => [name, known[name as keyof O].default]);
  return { ...(Object.fromEntries(defaults) as O), ...given } as Required<O>;
};

/** The options with which a parametrization can be made again, in the order of its definition. */
export function configOf(
  definition: AnyDefinition,
  parametrization: Parametrization,
): Record<string, unknown> {
  const config =
    definition.config?.(parametrization) ?? (parametrization as unknown as Record<string, unknown>);
  return Object.fromEntries(Object.keys(definition.options).map((name) => [name, config[name]]));
}

/** The options of a parametrization as text: `dim=0, eps=1e-6`. */
export function optionsText(definition: AnyDefinition, parametrization: Parametrization): string {
  return Object.entries(configOf(definition, parametrization))
    .filter(([name, value]) => {
      const { isQuiet, default: initial } = definition.options[name]!;
      return isQuiet !== true || value !== initial;
    })
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(', ');
}

/** A list of one is shown as its element. */
const valueText = (value: unknown): string =>
  Array.isArray(value) && value.length !== 1 ? `[${value.join(', ')}]` : String(value);
