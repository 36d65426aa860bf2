import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { isVariable } from '../../engine/variable.ts';
import { holdsTensor } from '../module/fields.ts';
import { Module } from '../module/module.ts';
import { noForward } from '../module/noForward.ts';
import { checkElement, elementAt, elementNames, linesOf, setElement } from '../module/parameterFields.ts';
import { checkFieldName, type Named, pairsOf } from './childNames.ts';

/** Parameters by name: an object, or pairs. */
export type NamedParameters = Named<Tensor>;

/**
 * Parameters by name. The module that holds the dictionary finds them.
 *
 * @remarks
 * **Shape**: none. A dictionary computes nothing; use the parameters in it.
 * **State**: the parameters, under their names. Names that are whole numbers come first, in ascending order.
 * **Gradient**: reaches the parameters through what is computed from them.
 * **Ownership**: the dictionary takes over the variables, and `dispose` disposes them. A replaced or deleted variable
 * belongs to the caller. Reading a parametrized element follows the rules of any parametrized tensor.
 *
 * @example
 * ```ts
 * scales = new ParameterDict({ left: parameter(tf.ones([3])), right: parameter(tf.ones([3])) });
 * forward(x: Tensor, side: string): Tensor { return tf.mul(x, this.scales.get(side)!); }
 * ```
 * @see torch.nn.ParameterDict
 */
export class ParameterDict extends Module {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ParameterDict';

  /**
   * @throws {@link ParametrizeError} `OPTION` if the argument is neither an object nor pairs, and the errors of
   * {@link set}
   */
  constructor(parameters: NamedParameters = {}) {
    super();
    for (const [name, value] of pairsOf('ParameterDict', parameters, parameterKind)) this.set(name, value);
  }

  /** The number of parameters. */
  get size(): number {
    return elementNames(this).length;
  }

  /** Returns the parameter of a name, or undefined. */
  get(name: string): Tensor | undefined {
    return this.has(name) ? elementAt(this, name) : undefined;
  }

  /**
   * Adds a parameter, or replaces the parameter of that name; returns this.
   *
   * @throws {@link ParametrizeError} `NOT_A_VARIABLE` if the value is not a variable, `DISPOSED` if it has been
   * disposed, `OPTION` if it is a buffer, `INVALID_NAME` if the name belongs to a parametrized element, is empty, has a
   * dot, or is a property of every ParameterDict or object: `forward`, `get`, `constructor`, …
   */
  set(name: string, parameter: Tensor): this {
    checkElement(this, name, parameter);
    refuseComputed(this, name);
    checkFieldName(this, name, 'parameter', isVariable);
    setElement(this, name, parameter);
    return this;
  }

  /** Returns true if a parameter has that name. */
  has(name: string): boolean {
    return holdsTensor(this, name);
  }

  /**
   * Removes the parameter of a name without disposing it. Returns true if it existed.
   *
   * @throws {@link ParametrizeError} `INVALID_NAME` if the parameter is parametrized
   */
  delete(name: string): boolean {
    refuseComputed(this, name);
    return this.has(name) && Reflect.deleteProperty(this, name);
  }

  /** Iterates over the names. */
  *keys(): IterableIterator<string> {
    yield* elementNames(this);
  }

  /** Iterates over the parameters. */
  *values(): IterableIterator<Tensor> {
    for (const name of elementNames(this)) yield elementAt(this, name);
  }

  /** Iterates over the names with their parameters. */
  *entries(): IterableIterator<[string, Tensor]> {
    for (const name of elementNames(this)) yield [name, elementAt(this, name)];
  }

  /** The same as {@link entries}. */
  [Symbol.iterator](): IterableIterator<[string, Tensor]> {
    return this.entries();
  }

  /**
   * @throws {@link ParametrizeError} `NOT_A_FUNCTION`, always: a dictionary computes nothing
   */
  forward(): never {
    throw noForward(this, 'parameters', "Use the parameters in it: dict.get('name')");
  }

  override extraRepr(): string {
    return linesOf(this);
  }
}

const parameterKind = ['parameter', 'a ParameterList takes an array'] as const;

/** Refuses to replace a computed element, because its parametrizations would be left behind. */
function refuseComputed(dict: ParameterDict, name: string): void {
  if (Object.getOwnPropertyDescriptor(dict, name)?.get === undefined) return;
  throw refusal(
    'INVALID_NAME',
    typeName(dict),
    `'${name}' is parametrized and cannot be replaced or deleted`,
    `Assign a value, dict['${name}'] = tensor, or remove its parametrizations first.`,
  );
}
