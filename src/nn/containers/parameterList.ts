import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { Module } from '../module/module.ts';
import { noForward } from '../module/noForward.ts';
import { checkElement, elementAt, elementNames, linesOf, setElement } from '../module/parameterFields.ts';

/**
 * Parameters in a list. The module that holds the list finds them.
 *
 * @remarks
 * **Shape**: none. A list computes nothing; use the parameters in it.
 * **State**: the parameters, under `0`, `1`, …
 * **Gradient**: reaches the parameters through what is computed from them.
 * **Ownership**: the list takes over the variables, and `dispose` disposes them. Reading a parametrized element follows
 * the rules of any parametrized tensor.
 *
 * @example
 * ```ts
 * scales = new ParameterList([parameter(tf.ones([3])), parameter(tf.ones([3]))]);
 * forward(x: Tensor): Tensor {
 *   for (const scale of this.scales) x = tf.mul(x, scale);
 *   return x;
 * }
 * ```
 * @see torch.nn.ParameterList
 */
export class ParameterList extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ParameterList';
  /** @internal Children are named by index. */
  static readonly hasIndices: boolean = true;

  /** The parameters by index. */
  [index: number]: Tensor;

  /**
   * @throws {@link ParametrizeError} as {@link extend}
   */
  constructor(parameters: Iterable<Tensor> = []) {
    super();
    this.extend(parameters);
  }

  /** The number of parameters. */
  get length(): number {
    return elementNames(this).length;
  }

  /**
   * Returns the parameter at a position. A negative index counts from the end.
   *
   * @throws {@link ParametrizeError} `OPTION` if there is no such element
   */
  at(index: number): Tensor {
    const names = elementNames(this);
    const name = names.at(index);
    if (name !== undefined && Number.isInteger(index)) return elementAt(this, name);
    throw refusal(
      'OPTION',
      typeName(this),
      `the index is ${index}, and the container has ${names.length} parameters`,
      `Pass an index from ${-names.length} to ${names.length - 1}.`,
    );
  }

  /**
   * Adds a parameter at the end; returns this.
   *
   * @throws {@link ParametrizeError} as {@link extend}
   */
  append(parameter: Tensor): this {
    return this.extend([parameter]);
  }

  /**
   * Adds parameters at the end, all or none; returns this.
   *
   * @throws {@link ParametrizeError} `NOT_A_VARIABLE` if an element is not a variable, `DISPOSED` if it has been
   * disposed, `OPTION` if it is a buffer or the argument is not iterable
   */
  extend(parameters: Iterable<Tensor>): this {
    if (typeof parameters?.[Symbol.iterator] !== 'function') {
      throw refusal(
        'OPTION',
        typeName(this),
        `the parameters are ${typeName(parameters)}, they must be an array or another iterable`,
        'Pass [parameter(…), …].',
      );
    }
    const start = this.length;
    const entries = [...parameters].map((value, i) => {
      const name = String(start + i);
      checkElement(this, name, value);
      return [name, value] as const;
    });
    for (const [name, value] of entries) setElement(this, name, value);
    return this;
  }

  /** Iterates over the parameters in order. A parameter that was added twice comes twice. */
  *[Symbol.iterator](): IterableIterator<Tensor> {
    for (const name of elementNames(this)) yield elementAt(this, name);
  }

  /**
   * @throws {@link ParametrizeError} `NOT_A_FUNCTION`, always: a list computes nothing
   */
  forward(): never {
    throw noForward(this, 'parameters', 'Use the parameters in it: for (const parameter of list) …');
  }

  override extraRepr(): string {
    return linesOf(this);
  }
}
