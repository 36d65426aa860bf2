import * as tf from '@tensorflow/tfjs-core';
import { typeName } from '../core/text.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { removeParametrizations } from '../parametrize/verbs/removeParametrizations.ts';
import { applyDeclaration } from './declaration.ts';
import { type FieldOf, nameOf } from './declaredFields.ts';
import { redeclared, redeclaresField } from './redeclaration.ts';

/** The values that fields of objects had when their declarations were applied. */
const adopted = new WeakMap<object, Map<string, unknown>>();

/** Objects whose constructor may not have ended yet: constructors are synchronous. */
const constructing = new WeakSet<object>();

/** True if the declarations of a field were applied to an object. */
export const isAdopted = (host: object, field: string): boolean => adopted.get(host)?.has(field) === true;

/**
 * True if a field got another value during construction, after the declarations were applied. Once the value is found
 * to be the same, the owner of the object may replace it.
 */
export function isReplaced(host: object, field: string, value: unknown): boolean {
  const before = adopted.get(host)?.get(field);
  if (before === undefined) return false;
  if (before === value && !constructing.has(host)) adopted.get(host)!.set(field, undefined);
  return before !== value;
}

/**
 * Gives a field of an object its value, and applies the declarations to it. A field with null or undefined waits for
 * its value: a class may make its tensors in the constructor, from its arguments.
 *
 * If a declaration cannot be applied, the field waits again as before: a later assignment may be a good one.
 *
 * @throws {@link DecoratorError} if a subclass has an accessor of that name; and the errors of the registration
 */
export function giveValue(host: object, declaredField: FieldOf, value: unknown): void {
  const { declared } = declaredField;
  if (hasAccessorBelow(host, declaredField)) throw redeclared(declaredField, typeName(host));
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
  const before = Object.getOwnPropertyDescriptor(host, declared.field);
  Object.defineProperty(host, declared.field, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
  const values = adopted.get(host) ?? new Map<string, unknown>();
  adopted.set(host, values.set(declared.field, value));
  constructing.add(host);
  queueMicrotask(() => constructing.delete(host));
  try {
    for (const declaration of declared.declarations) {
      applyDeclaration(declared.mode, declaration, host, declared.field, value, nameOf(declaredField));
    }
  } catch (error) {
    if (registrationOf(host, declared.field) !== undefined) removeParametrizations(host, declared.field);
    if (before === undefined) Reflect.deleteProperty(host, declared.field);
    else Object.defineProperty(host, declared.field, before);
    values.delete(declared.field);
    throw error;
  }
  if (value instanceof tf.Tensor && redeclaresField(host, declaredField)) refuseVariable(host, declaredField);
}

/** True if a class below the declaring one has an accessor in its place, which the object's own property would hide. */
function hasAccessorBelow(host: object, { declared, declaring }: FieldOf): boolean {
  let prototype = Object.getPrototypeOf(host) as object | null;
  for (; prototype !== null && prototype !== declaring; prototype = Object.getPrototypeOf(prototype)) {
    if (Object.hasOwn(prototype, declared.field)) return true;
  }
  return false;
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
  const newest = Math.max(...registration.list.ownVariables().map(({ id }) => id));
  Object.defineProperty(host, field, {
    ...property,
    set(value: unknown) {
      if (constructing.has(host) && value instanceof tf.Variable && value.id > newest) {
        throw redeclared(declaredField, typeName(host));
      }
      property.set!.call(host, value);
    },
  });
}
