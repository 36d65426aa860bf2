import type { Tensor } from '@tensorflow/tfjs-core';
import { checkOptions } from '../core/checkOptions.ts';
import type { Parametrization } from '../parametrize/parametrization.ts';
import { registerMade } from '../parametrize/registerMade.ts';
import type { ForeignName, LooseName } from '../parametrize/registerParametrization.ts';

/** A function of the catalog, such as `weightNorm`: registers its parametrization on a tensor of a host. */
export interface CatalogFunction<O = never> {
  /** On the main weight of a host, with options. */
  <H extends object>(host: H, options: O): H;
  /** On a tensor that the type of the host names. */
  <H extends { [N in K]: Tensor | null | undefined }, K extends string>(host: H, name: K, options?: O): H;
  /** On the main weight of a host, or on a tensor that another entry point knows the name of. */
  <H extends object>(host: H, name?: ForeignName<H>, options?: O): H;
  /** On a host whose type does not tell its tensors: a base class, or a computed name. */
  <H extends object, K extends string>(host: H, name: LooseName<H, K>, options?: O): H;
}

/** One function of the catalog. */
interface CatalogEntry<O> {
  /** The function's name, for messages. */
  readonly name: string;
  /** The keys that its options may have. */
  readonly options: readonly (keyof O & string)[];
  /**
   * Refuses options that make no sense on any tensor. The call throws, also where the tensor comes into being later.
   *
   * @throws {@link ParametrizeError} `OPTION`
   */
  check?(options: O): void;
  /** Makes the parametrization for a tensor of a host, from its current value. */
  make(weight: Tensor, options: O, owner: object, tensor: string): Parametrization;
}

/** Makes a function of the catalog, which takes `(host)`, `(host, options)` or `(host, name, options)`. */
export function catalogFunction<O extends object = never>(entry: CatalogEntry<O>): CatalogFunction<O> {
  const { name: caller, options: known } = entry;
  const register = (host: object, nameOrOptions?: string | O, given?: O): object => {
    const isName = typeof nameOrOptions !== 'object' || nameOrOptions === null;
    const options = { ...checked(caller, isName ? given : nameOrOptions, known) };
    entry.check?.(options);
    const name = isName ? nameOrOptions : undefined;
    return registerMade(caller, host, name, (weight, tensor, owner) =>
      entry.make(weight, options, owner, tensor),
    );
  };
  // Messages and tables name the function; a minifier would change the name.
  Object.defineProperty(register, 'name', { value: caller });
  return register as CatalogFunction<O>;
}

function checked<O extends object>(caller: string, options: O | undefined, known: readonly string[]): O {
  if (options === undefined) return {} as O;
  checkOptions(caller, options, known);
  return options;
}
