import type { Declaration } from './declaration.ts';
import { declareField } from './declaredFields.ts';
import { DecoratorError } from './decoratorError.ts';
import { giveValue } from './fieldValue.ts';

/**
 * Declares a parametrization by a decorator of `experimentalDecorators`.
 *
 * With assign semantics, the first assignment calls a setter on the prototype. With define semantics, no decorator code
 * runs, and {@link parametrizedModule} applies the declarations when the object is complete.
 *
 * @throws {@link DecoratorError} for a member that is not a field
 */
export function decorateLegacy(
  declaration: Declaration,
  target: object,
  field: unknown,
  descriptor: unknown,
): void {
  if (typeof target === 'function') {
    throw notAField(field === undefined ? 'a class' : `the static member ${String(field)}`);
  }
  if (typeof field !== 'string') throw notAField(`the member ${String(field)}, whose name is no string,`);
  if (descriptor !== undefined) {
    throw notAField(
      typeof descriptor === 'number' ? `a parameter of ${field}` : `the method or accessor ${field}`,
    );
  }
  const { declared, isNew } = declareField(target, field, 'legacy', declaration);
  if (!isNew) return;
  Object.defineProperty(target, field, {
    get: () => undefined,
    set(this: object, value: unknown) {
      giveValue(this, { declared, declaring: target }, value);
    },
    enumerable: false,
    configurable: true,
  });

  function notAField(what: string): DecoratorError {
    const { name: type } = typeof target === 'function' ? target : target.constructor;
    return new DecoratorError('legacy', {
      fact: `cannot decorate ${what} of ${type} (legacy decorators)`,
      remedy: 'Decorate a public field that holds a tensor or a module.',
    });
  }
}
