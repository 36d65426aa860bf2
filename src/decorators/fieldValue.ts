import * as tf from '@tensorflow/tfjs-core';
import { typeName } from '../core/text.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { removeParametrizations } from '../parametrize/verbs/removeParametrizations.ts';
import { applyDeclaration } from './declaration.ts';
import { type FieldOf, nameOf } from './declaredFields.ts';
import { redeclared, redeclaresField } from './redeclaration.ts';

/** The values of fields at the time when their declarations were applied. */
const adopted = new WeakMap<object, Map<string, unknown>>();

/** The objects whose constructor may still be running. */
const constructing = new WeakSet<object>();

/** True if the declarations of a field were applied to an object. */
export const isAdopted = (host: object, field: string): boolean => adopted.get(host)?.has(field) === true;

/**
 * True if a field got another value during construction, after its declarations were applied. After the first check
 * that finds the same value, the owner of the object may replace the value.
 */
export function isReplaced(host: object, field: string, value: unknown): boolean {
  const before = adopted.get(host)?.get(field);
  if (before === undefined) return false;
  if (before === value && !constructing.has(host)) adopted.get(host)!.set(field, undefined);
  return before !== value;
}

/**
 * Sets a field of an object and applies the declarations to its value. A field with null or undefined waits for its
 * value, because a class may make its tensors in the constructor.
 *
 * If a declaration cannot be applied, the field waits for the next assignment.
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
      // `this` may differ from `host`, because a copy of the object gets the same property.
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

/**
 * True if a class below the declaring class has an accessor of this name, which the object's own property would hide.
 */
function hasAccessorBelow(host: object, { declared, declaring }: FieldOf): boolean {
  let prototype = Object.getPrototypeOf(host) as object | null;
  for (; prototype !== null && prototype !== declaring; prototype = Object.getPrototypeOf(prototype)) {
    if (Object.hasOwn(prototype, declared.field)) return true;
  }
  return false;
}

/**
 * Refuses a variable that a subclass makes for the field during construction. With assign semantics, its field
 * initializer assigns to the computed tensor: the value would be copied, and the variable would leak.
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
