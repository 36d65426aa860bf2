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
 * Parameters by name, so that the module that holds them finds them.
 *
 * @remarks
 * **Shape**: none, a dictionary computes nothing; use the parameters in it.
 * **State**: the parameters, under their names. Names that are whole numbers come first, in ascending order.
 * **Gradient**: reaches the parameters through what is computed from them.
 * **Ownership**: the dictionary takes the variables over: `dispose` disposes them. One that is replaced or deleted is
 * the caller's. What a parametrized element gives when it is read is as of any parametrized tensor.
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
   * @throws {@link ParametrizeError} `OPTION` if they are neither an object nor pairs, and as {@link set}
   */
  constructor(parameters: NamedParameters = {}) {
    super();
    for (const [name, value] of pairsOf('ParameterDict', parameters, parameterKind)) this.set(name, value);
  }

  /** The number of parameters. */
  get size(): number {
    return elementNames(this).length;
  }

  /** The parameter of that name, or undefined. */
  get(name: string): Tensor | undefined {
    return this.has(name) ? elementAt(this, name) : undefined;
  }

  /**
   * Adds a parameter or replaces the one of that name; returns this.
   *
   * @throws {@link ParametrizeError} `NOT_A_VARIABLE` if it is not a variable, `DISPOSED` if it has been disposed,
   * `OPTION` if it is a buffer, `INVALID_NAME` if the name is that of a parametrized element, is empty, has a dot or is
   * that of a property which every ParameterDict or object has: `forward`, `get`, `constructor`, …
   */
  set(name: string, parameter: Tensor): this {
    checkElement(this, name, parameter);
    refuseComputed(this, name);
    checkFieldName(this, name, 'parameter', isVariable);
    setElement(this, name, parameter);
    return this;
  }

  /** True if there is a parameter of that name. */
  has(name: string): boolean {
    return holdsTensor(this, name);
  }

  /**
   * Takes the parameter of that name out and returns whether there was one; it is not disposed.
   *
   * @throws {@link ParametrizeError} `INVALID_NAME` if it is parametrized
   */
  delete(name: string): boolean {
    refuseComputed(this, name);
    return this.has(name) && Reflect.deleteProperty(this, name);
  }

  /** The names. */
  *keys(): IterableIterator<string> {
    yield* elementNames(this);
  }

  /** The parameters. */
  *values(): IterableIterator<Tensor> {
    for (const name of elementNames(this)) yield elementAt(this, name);
  }

  /** The names with their parameters. */
  *entries(): IterableIterator<[string, Tensor]> {
    for (const name of elementNames(this)) yield [name, elementAt(this, name)];
  }

  /** {@link entries} */
  [Symbol.iterator](): IterableIterator<[string, Tensor]> {
    return this.entries();
  }

  /**
   * @throws {@link ParametrizeError} `NOT_A_FUNCTION` always: a dictionary does not say what to compute
   */
  forward(): never {
    throw noForward(this, 'parameters', "Use the parameters in it: dict.get('name')");
  }

  override extraRepr(): string {
    return linesOf(this);
  }
}

const parameterKind = ['parameter', 'a ParameterList takes an array'] as const;

/** A computed element belongs to its parametrizations, which a variable in its place would leave behind. */
function refuseComputed(dict: ParameterDict, name: string): void {
  if (Object.getOwnPropertyDescriptor(dict, name)?.get === undefined) return;
  throw refusal(
    'INVALID_NAME',
    typeName(dict),
    `'${name}' is parametrized and cannot be replaced or deleted`,
    `Assign a value, dict['${name}'] = tensor, or remove its parametrizations first.`,
  );
}
