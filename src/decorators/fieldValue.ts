import * as tf from '@tensorflow/tfjs-core';
import { typeName } from '../errors.ts';
import { registrationOf } from '../parametrize/registry.ts';
import { applyDeclaration } from './declaration.ts';
import { type FieldOf, nameOf } from './declaredFields.ts';
import { redeclared, redeclaresField } from './redeclaration.ts';

/** The values that fields of objects had when their declarations were applied. */
const adopted = new WeakMap<object, Map<string, unknown>>();

/** The value that a field of an object had when its declarations were applied; undefined if they were not. */
export const adoptedValue = (host: object, field: string): unknown => adopted.get(host)?.get(field);

/**
 * Gives a field of an object its value, and applies the declarations to it. While there is none (null, undefined), the
 * field waits for it: a class may make its tensors in the constructor, from its arguments.
 */
export function giveValue(host: object, declaredField: FieldOf, value: unknown): void {
  const { declared } = declaredField;
  declared.applied = true;
  if (value === null || value === undefined) {
    Object.defineProperty(host, declared.field, {
      get: () => value,
      // Not `host`: a copy of the object gets the same property.
      set(this: object, given: unknown) {
        giveValue(this, declaredField, given);
      },
      enumerable: true,
      configurable: true,
    });
    return;
  }
  Object.defineProperty(host, declared.field, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  const values = adopted.get(host) ?? new Map<string, unknown>();
  adopted.set(host, values.set(declared.field, value));
  for (const declaration of declared.declarations) {
    applyDeclaration(declared.mode, declaration, host, declared.field, value, nameOf(declaredField));
  }
  if (value instanceof tf.Tensor && redeclaresField(host, declaredField)) refuseVariable(host, declaredField);
}

/**
 * Refuses a variable that a subclass makes for the field while it is constructed. Where fields are assigned, its field
 * initializer is an assignment to the computed tensor: the value would be copied, and the variable lost.
 */
function refuseVariable(host: object, declaredField: FieldOf): void {
  const { field } = declaredField.declared;
  const registration = registrationOf(host, field);
  const property = Object.getOwnPropertyDescriptor(host, field);
  if (registration === undefined || property?.set === undefined) return;
  const newest = Math.max(...registration.list.chain.ownVariables().map(({ id }) => id));
  let constructing = true;
  // Constructors are synchronous.
  queueMicrotask(() => {
    constructing = false;
  });
  Object.defineProperty(host, field, {
    ...property,
    set(value: unknown) {
      if (constructing && value instanceof tf.Variable && value.id > newest) {
        throw redeclared(declaredField, typeName(host));
      }
      property.set!.call(host, value);
    },
  });
}
