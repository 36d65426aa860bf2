import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { HOOK_KEYS } from '../nn/module/normalizedTensor.ts';
import { addHookKeys } from '../nn/stateDict/hookKeys.ts';
import { fixFields } from './chain/fieldSet.ts';
import {
  type AnyDefinition,
  checkedOptions,
  configOf,
  enterFunction,
  type ParametrizationDefinition,
  setDefinition,
  withDefaults,
} from './definition.ts';
import type { Site } from './host/site.ts';
import type { Parametrization } from './parametrization.ts';
import { changesPresent } from './secondCall.ts';
import { isInSet, type SetDefinition, type SetFunctions, sampleOf } from './setDefinition.ts';
import { targetOf } from './targetOf.ts';
import { makeOwned, registerOwned } from './verbs/registerOwned.ts';
import type { PossibleTensorName, TensorNameOf } from './verbs/registerParametrization.ts';

/** A function of the catalog, such as `weightNorm`: registers its parametrization on a tensor of a host. */
export interface CatalogFunction<O extends object = NoOptions> {
  /**
   * Registers the parametrization on the main weight of a host: `weight` of a module, `kernel` of a layer of tf.layers.
   *
   * @param host - a module, a layer of tf.layers, or an object that holds a `tf.Variable`
   * @param options - the options of the parametrization
   * @returns the host
   */
  <H extends object>(host: H, options?: O): H;
  /**
   * Registers the parametrization on a tensor of a host.
   *
   * @param host - a module, a layer of tf.layers, or an object that holds a `tf.Variable`
   * @param name - the tensor; undefined for the main weight of the host
   * @param options - the options of the parametrization
   * @returns the host
   */
  <H extends object>(host: H, name: TensorNameOf<H> | undefined, options?: O): H;
  /**
   * Registers the parametrization on a tensor of a host inside of its class, on `this`.
   *
   * @param host - an object that holds a `tf.Variable`
   * @param name - the tensor
   * @param options - the options of the parametrization
   * @returns the host
   */
  <H extends { [N in K]: Tensor | null | undefined }, K extends string>(host: H, name: K, options?: O): H;
  /**
   * Registers the parametrization on a tensor of a host whose type does not list its tensors: a base class, a
   * dictionary, a computed name.
   *
   * @param host - a module, a layer of tf.layers, or an object that holds a `tf.Variable`
   * @param name - the tensor
   * @param options - the options of the parametrization
   * @returns the host
   */
  <H extends object, K extends string>(host: H, name: PossibleTensorName<H, K>, options?: O): H;
}

/** The options type of a parametrization without options. */
export type NoOptions = Readonly<Record<string, never>>;

/**
 * Makes a function of the catalog from the definition of a parametrization: its name, class, options and constructor.
 *
 * The function takes `(host)`, `(host, options)` and `(host, name, options)`. It checks the options at the call, even
 * if the host makes its tensors later. Removal disposes the parametrization that the function made. A printed model
 * shows the options. A saved model contains them, so a model can be parametrized again.
 *
 * With `set`, the function has `contains(value, tolerance, options)` and `sample(shape, options)`, and `checked` can
 * refuse a value outside of the set.
 *
 * @returns the function
 * @example
 * ```ts
 * class Bounded extends Parametrization {
 *   readonly bound: number;
 *
 *   constructor(options: BoundedOptions = {}) {
 *     super();
 *     this.bound = this.checkedOptions(options).bound;
 *   }
 *
 *   override forward(x: Tensor): Tensor {
 *     return tf.mul(this.bound, tf.tanh(x));
 *   }
 * }
 *
 * export const bounded = defineParametrization<Bounded, BoundedOptions>({
 *   name: 'bounded',
 *   class: Bounded,
 *   options: { bound: { default: 1, expected: 'a positive number', accepts: (bound) => bound > 0 } },
 *   make: (_, options) => new Bounded(options),
 * });
 *
 * bounded(layer, { bound: 2 });
 * ```
 */
export function defineParametrization<
  P extends Parametrization,
  O extends object = NoOptions,
  S extends object = object,
>(
  definition: ParametrizationDefinition<P, O, S> & { readonly set: SetDefinition<O, S> },
): CatalogFunction<O> & SetFunctions<O, S>;
export function defineParametrization<P extends Parametrization, O extends object = NoOptions>(
  definition: ParametrizationDefinition<P, O>,
): CatalogFunction<O>;
export function defineParametrization<P extends Parametrization, O extends object = NoOptions>(
  definition: ParametrizationDefinition<P, O>,
): CatalogFunction<O> {
  const { name: caller, class: type } = definition;
  const register = (host: object, nameOrOptions?: string | O, given?: O): object => {
    const isName = typeof nameOrOptions !== 'object' || nameOrOptions === null;
    const [name, found] = isName ? [nameOrOptions, given] : [undefined, nameOrOptions];
    const options = checkedOptions(definition, caller, found === undefined ? ({} as O) : found);
    return registerDefined(definition, host, name, options);
  };
  // Messages, tables and files show this name, which a minifier would change.
  Object.defineProperty(register, 'name', { value: caller });
  Object.defineProperty(type, 'name', { value: classNameOf(caller), configurable: true });
  if (definition.hasFixedFields === true) fixFields(type);
  if (definition.set !== undefined) Object.assign(register, setFunctions(definition, definition.set));
  const { hookKeys, hasHookKeys } = definition;
  if (hookKeys !== undefined) addHookKeys(hookKeys);
  Object.defineProperty(type.prototype, HOOK_KEYS, {
    get(this: P) {
      return hasHookKeys?.(configOf(definition as unknown as AnyDefinition, this) as O) === false
        ? undefined
        : hookKeys;
    },
  });
  enterFunction(caller, register);
  for (const target of [register, type.prototype as object]) {
    setDefinition(target, definition as unknown as AnyDefinition);
  }
  return register as CatalogFunction<O>;
}

/** Makes the functions of an entry of the catalog for the set of its values. */
function setFunctions<O extends object, S extends object>(
  definition: ParametrizationDefinition<Parametrization, O, S>,
  set: SetDefinition<O, S>,
): SetFunctions<O, S> {
  const { name, options: known } = definition;
  const complete = <T extends object>(
    caller: string,
    options: T,
    definition: ParametrizationDefinition<Parametrization, T>,
  ): Required<T> => withDefaults(definition, checkedOptions(definition, caller, options));
  const ofMap = definition as unknown as ParametrizationDefinition<Parametrization, O>;
  const ofSample = {
    ...definition,
    options: { ...known, ...set.sampleOptions },
  } as unknown as ParametrizationDefinition<Parametrization, O & S>;
  return {
    async contains(value, tolerance, options = {} as O) {
      const caller = `${name}.contains`;
      return await isInSet(caller, set, value, complete(caller, options, ofMap), tolerance);
    },
    sample(shape, options = {} as O & S) {
      const caller = `${name}.sample`;
      const all = complete(caller, options, ofSample);
      return sampleOf(caller, set, shape, all as Required<O> & Required<S>);
    },
  };
}

/** Registers a parametrization by its definition, with checked options. */
export const registerDefined = <O extends object>(
  definition: ParametrizationDefinition<Parametrization, O>,
  host: object,
  name: string | undefined,
  options: O,
): object =>
  registerOwned(
    definition.name,
    host,
    name,
    (value, site) => {
      checkReal(definition, value, site);
      return definition.make(targetOf(value, site), options);
    },
    {
      definition: definition as unknown as AnyDefinition,
      changes: (site) => changesPresent(definition, site, options),
    },
  );

/**
 * Makes a parametrization for a tensor by its definition, which removal disposes; the options are checked.
 *
 * @param value - the value of the tensor, which is not to be disposed
 */
export const makeDefined = <O extends object>(
  definition: ParametrizationDefinition<Parametrization, O>,
  value: Tensor,
  site: Site,
  options: O,
): Parametrization => {
  checkReal(definition, value, site);
  return makeOwned(() => definition.make(targetOf(value, site), options));
};

/**
 * Refuses tensors of other things than real numbers for a map with a set, which has real numbers.
 *
 * @throws {@link ParametrizeError} `DTYPE`
 */
function checkReal(
  { name, set }: { readonly name: string; readonly set?: object },
  { dtype }: Tensor,
  site: Site,
): void {
  if (set === undefined || (dtype !== 'complex64' && dtype !== 'string')) return;
  throw refusal(
    'DTYPE',
    name,
    `${site.label} has dtype ${dtype}, and the set of ${name} has real numbers`,
    'Register it on a tensor of dtype float32.',
  );
}

const classNameOf = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
