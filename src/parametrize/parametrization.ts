import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { Module } from '../nn/module/module.ts';
import {
  checkedOptions,
  checkOption,
  configOf,
  definitionOf,
  optionsText,
  withDefaults,
} from './definition.ts';
import { isInSet } from './setDefinition.ts';
import { raiseVersion } from './version.ts';

/**
 * The base class of maps that compute a tensor of a module from its originals.
 *
 * `W = forward(original0, original1, …)`. It is a `Module`: its parameters train with the host, its buffers are saved
 * with it, and both are dependencies of the computed tensor.
 *
 * @remarks
 * **Ownership**: a parametrization that you register belongs to you, even after its removal.
 *
 * @see torch.nn.utils.parametrize.register_parametrization
 */
export abstract class Parametrization extends Module {
  /**
   * Computes the tensor from its originals (first in a chain), or from the value of the previous parametrization.
   *
   * It must use tfjs operations only. It runs in a tidy, so intermediate tensors are freed.
   */
  abstract override forward(...originals: Tensor[]): Tensor;

  /**
   * Returns originals for which `forward` gives `value`. It makes `host.weight = value` possible, and registration
   * keeps the value. An array becomes `original0`, `original1`, … Without a right inverse, the value becomes the
   * original, so registration changes the value.
   */
  rightInverse?(value: Tensor): Tensor | Tensor[];

  /** Other names of `original0`, `original1`, …: `['g', 'v']` makes `list.g` and `list.v`. */
  declare readonly originalNames?: readonly string[];

  /**
   * Returns true if `forward` is a function of its dependencies only: it draws no random numbers, writes no state, and
   * reads no plain field that may change without {@link invalidate}. Reads of a pure chain may share one evaluation
   * until a dependency changes.
   */
  isPure(): boolean {
    return false;
  }

  /**
   * Resolves to true if a value belongs to the set of the map; see {@link SetFunctions.contains}.
   *
   * @param value - the value; it stays the caller's
   * @param tolerance - the accepted error, relative to the largest element. Default 1e-4.
   * @throws {@link ParametrizeError} `UNSUPPORTED` if the definition of the class has no set; `OPTION`, `DISPOSED`
   */
  async contains(value: Tensor, tolerance?: number): Promise<boolean> {
    const definition = definitionOf(this);
    const caller = `${typeName(this)}.contains`;
    if (definition?.set === undefined) {
      throw refusal(
        'UNSUPPORTED',
        caller,
        'the map does not define a set',
        'Add set to its defineParametrization.',
      );
    }
    const options = withDefaults(definition, configOf(definition, this));
    return await isInSet(caller, definition.set, value, options, tolerance);
  }

  /** Returns the current options by the {@link defineParametrization | definition} of the class. */
  override extraRepr(): string {
    const definition = definitionOf(this);
    return definition === undefined ? '' : optionsText(definition, this);
  }

  /**
   * For constructors: checks options by the {@link defineParametrization | definition} of the class.
   *
   * @returns the options, completed by the defaults
   * @throws {@link ParametrizeError} `OPTION` for an invalid option
   */
  protected checkedOptions<O extends object>(options: O): Required<O> {
    const definition = definitionOf(this)!;
    return withDefaults(
      definition,
      checkedOptions(definition, definition.name, options as never),
    ) as Required<O>;
  }

  /**
   * For setters: checks one option by the {@link defineParametrization | definition} of the class.
   *
   * @throws {@link ParametrizeError} `OPTION` for an invalid value
   */
  protected checkOption(name: string, value: unknown): void {
    const { name: caller, options } = definitionOf(this)!;
    checkOption(options[name]!, caller, name, value);
  }

  /**
   * Marks cached values as stale after a change that cannot be detected: of a plain field, or of a `dataSync()` array.
   */
  invalidate(): void {
    for (const module of this.modules()) raiseVersion(module);
  }
}

/** A parametrization as a plain object: the functions of {@link Parametrization} without a class. */
export interface ParametrizationObject {
  /** See {@link Parametrization.forward}. */
  forward(...originals: Tensor[]): Tensor;
  /** See {@link Parametrization.rightInverse}. */
  rightInverse?(value: Tensor): Tensor | Tensor[];
  /** See {@link Parametrization.isPure}. Default: not pure. */
  isPure?(): boolean;
  /** The variables other than the originals that `forward` uses. They belong to you. */
  readonly dependencies?: readonly Variable[];
}

/** A parametrization as a function of the original, such as `(x) => tf.softplus(x)`. */
export type ParametrizationFunction = (...originals: Tensor[]) => Tensor;

/** A value that may be registered on a tensor. Any other {@link Module} counts as an object with `forward`. */
// The type does not name Module, because `forward(...args: any[])` would leave the arguments of `{ forward: (x) => … }`
// untyped.
export type ParametrizationLike = Parametrization | ParametrizationObject | ParametrizationFunction;

/**
 * Declares that a function depends on its arguments only, so its value is computed once until they change.
 *
 * @example
 * ```ts
 * registerParametrization(layer, 'weight', pure((x) => tf.softplus(x)));
 * ```
 */
export function pure(forward: ParametrizationFunction): ParametrizationObject {
  return { forward, isPure: () => true };
}
