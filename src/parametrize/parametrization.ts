import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { Module } from '../nn/module/module.ts';
import { checkedOptions, checkOption, definitionOf, optionsText, withDefaults } from './definition.ts';
import { raiseVersion } from './version.ts';

/**
 * The base class of maps that compute a tensor of a module from its originals.
 *
 * `W = forward(original0, original1, …)`. It is a `Module`: its parameters train with the host, its buffers are saved
 * with it, and both are dependencies of the computed tensor.
 *
 * @remarks
 * **Ownership**: a parametrization that you pass in stays yours, also after its removal.
 *
 * @see torch.nn.utils.parametrize.register_parametrization
 */
export abstract class Parametrization extends Module {
  /**
   * Computes the tensor from its originals (the first of a chain), or from the value of the one before it.
   *
   * Must use tfjs operations only; runs in a tidy, so intermediate tensors are freed.
   */
  abstract override forward(...originals: Tensor[]): Tensor;

  /**
   * Finds originals whose image is `value`: it makes `host.weight = value` possible and keeps the value at
   * registration. An array becomes `original0`, `original1`, … Without a right inverse the value itself becomes the
   * original, so that registration changes what is read.
   */
  rightInverse?(value: Tensor): Tensor | Tensor[];

  /** Other names of `original0`, `original1`, …: `['g', 'v']` makes `list.g` and `list.v`. */
  declare readonly originalNames?: readonly string[];

  /**
   * True if `forward` is a function of its dependencies only: no random draw, no state written, no plain field that may
   * change without {@link invalidate}. Reads of a pure chain may share one evaluation until a dependency changes.
   */
  isPure(): boolean {
    return false;
  }

  /** The options of the {@link defineParametrization | definition} of the class, as they are now. */
  override extraRepr(): string {
    const definition = definitionOf(this);
    return definition === undefined ? '' : optionsText(definition, this);
  }

  /**
   * For constructors: checks options by the {@link defineParametrization | definition} of the class.
   *
   * @returns the options, with the defaults of those that are not given
   * @throws {@link ParametrizeError} `OPTION` if an option makes no sense
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
   * @throws {@link ParametrizeError} `OPTION` if the value makes no sense
   */
  protected checkOption(name: string, value: unknown): void {
    const { name: caller, options } = definitionOf(this)!;
    checkOption(options[name]!, caller, name, value);
  }

  /** Tells that something `forward` uses has changed where it cannot be seen: a plain field, a `dataSync()` array. */
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
  /** Variables besides the originals that `forward` uses; they stay yours. */
  readonly dependencies?: readonly Variable[];
}

/** A parametrization as a function of the original, such as `(x) => tf.softplus(x)`. */
export type ParametrizationFunction = (...originals: Tensor[]) => Tensor;

/** Whatever may be registered on a tensor; any other {@link Module} counts as an object with `forward`. */
// Module is not named: its `forward(...args: any[])` would leave the arguments of `{ forward: (x) => … }` untyped.
export type ParametrizationLike = Parametrization | ParametrizationObject | ParametrizationFunction;

/**
 * Declares that a function depends on its arguments only, so that its value is computed once until they change.
 *
 * @example
 * ```ts
 * registerParametrization(layer, 'weight', pure((x) => tf.softplus(x)));
 * ```
 */
export function pure(forward: ParametrizationFunction): ParametrizationObject {
  return { forward, isPure: () => true };
}
