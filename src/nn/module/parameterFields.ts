import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { isAlive, isVariable } from '../../engine/variable.ts';
import { fieldsOf, holdsTensor } from './fields.ts';
import { holdVariable } from './heldVariables.ts';
import type { Module } from './module.ts';
import { isBuffer } from './parameter.ts';

// The shared part of the containers of parameters. Their elements are own fields. A parametrization turns a field into
// a computed property. Such elements are found by name and never read, because a read may be costly and may change
// state.

/** Returns the names of a container's own tensors, including computed ones, in the order of the fields. */
export const elementNames = (container: Module): string[] =>
  Object.getOwnPropertyNames(container).filter((name) => holdsTensor(container, name));

/** Returns the element of a name. A computed element is evaluated. */
export const elementAt = (container: Module, name: string): Tensor => Reflect.get(container, name) as Tensor;

/**
 * Refuses a value that cannot be an element.
 *
 * @throws {@link ParametrizeError} `NOT_A_VARIABLE`, `DISPOSED`, or `OPTION` if it is a buffer
 */
export function checkElement(container: Module, name: string, value: Tensor): asserts value is Variable {
  const place = `${typeName(container)}: '${name}'`;
  if (!isVariable(value)) {
    throw new ParametrizeError('NOT_A_VARIABLE', {
      fact: `${place} is ${typeName(value)}, it must be a parameter`,
      remedy: 'Wrap a tensor: parameter(tensor).',
    });
  }
  if (!isAlive(value)) {
    throw new ParametrizeError('DISPOSED', {
      fact: `${place}, of shape ${formatShape(value.shape)}, has been disposed`,
      remedy: 'Pass a live parameter.',
    });
  }
  if (!isBuffer(value)) return;
  throw new ParametrizeError('OPTION', {
    fact: `${place} is a buffer, it must be a parameter`,
    remedy: 'Hold buffers in fields of a module.',
  });
}

/** Puts a parameter into a container as an own enumerable field. */
export function setElement(container: Module, name: string, value: Variable): void {
  // An assignment would call a setter.
  Object.defineProperty(container, name, { value, enumerable: true, configurable: true, writable: true });
  holdVariable(container, name, value);
}

/**
 * Returns the elements as torch prints them, one line each. Computed elements are printed with the parametrizations.
 */
export const linesOf = (container: Module): string =>
  fieldsOf(container)
    .variables.map(
      ([name, { dtype, shape }]) =>
        `  (${name}): Parameter containing: [${dtype} of size ${shape.join('x')}]`,
    )
    .join('\n');
