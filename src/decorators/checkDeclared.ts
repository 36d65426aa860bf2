import * as tf from '@tensorflow/tfjs-core';
import { typeName } from '../core/text.ts';
import { registerIntegrityCheck } from '../nn/module/integrityCheck.ts';
import { registrationOf } from '../parametrize/chain/registry.ts';
import { type FieldOf, fieldsDeclaredOn, nameOf } from './declaredFields.ts';
import { DecoratorError } from './decoratorError.ts';
import { isReplaced } from './fieldValue.ts';
import { redeclared, redeclaresField } from './redeclaration.ts';

/**
 * Refuses an object whose decorated fields were bypassed. With define semantics, defining a field runs no decorator
 * code, so the first use of the object is the first moment to check its fields.
 *
 * @throws {@link DecoratorError} if legacy decorators met define semantics without the class decorator, or a subclass
 * has redeclared a field
 */
function checkDeclared(host: object): void {
  if (typeof host !== 'object' || host === null) return;
  for (const declaredField of fieldsDeclaredOn(Object.getPrototypeOf(host))) {
    const { declared } = declaredField;
    const value: unknown = Object.getOwnPropertyDescriptor(host, declared.field)?.value;
    if (value === null || value === undefined) continue;
    if (!declared.applied && !declared.finished) throw bypassed(declaredField);
    const isLost =
      value instanceof tf.Tensor
        ? registrationOf(host, declared.field) !== undefined
        : isReplaced(host, declared.field, value) && redeclaresField(host, declaredField);
    if (isLost) throw redeclared(declaredField, typeName(host));
  }
}

const bypassed = (declaredField: FieldOf): DecoratorError => {
  const { mode } = declaredField.declared;
  const where = nameOf(declaredField);
  return new DecoratorError(mode, {
    fact: `${where} is not parametrized: with experimentalDecorators and useDefineForClassFields: true (legacy decorators, define semantics; the default from target ES2022 on) fields are defined without a trace`,
    remedy: `Add @parametrizedModule to class ${where.split('.')[0]}, or set useDefineForClassFields: false, or drop experimentalDecorators.`,
  });
};

let isRegistered = false;

/** Registers the check of objects with decorated fields, which runs before they are used. */
export function checkDeclaredBeforeUse(): void {
  if (!isRegistered) registerIntegrityCheck(checkDeclared);
  isRegistered = true;
}
