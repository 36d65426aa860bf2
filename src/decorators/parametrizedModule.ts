import { fieldsDeclaredOn, undecorated } from './declaredFields.ts';
import { giveValue, isAdopted } from './fieldValue.ts';
import { isStandard } from './standardDecorator.ts';

/** A class, which may be abstract. */
export type AnyClass = abstract new (...args: never) => object;

/**
 * Completes the decorated fields of each object of a class after its constructor has run. Each class with decorated
 * fields needs it under `experimentalDecorators` with `useDefineForClassFields: true`. In every other mode it changes
 * nothing.
 *
 * The constructor still sees the plain variables.
 *
 * @returns the class, or in legacy mode a proxy of it
 * @example
 * ```ts
 * @parametrizedModule
 * class Net extends nn.Module {
 *   @parametrized(weightNorm) weight: Tensor = nn.parameter(() => tf.ones([3, 3]));
 * }
 * ```
 */
export function parametrizedModule<C extends AnyClass>(target: C, context?: ClassDecoratorContext): C {
  if (isStandard(context)) return target;
  const prototype = target.prototype as object;
  const fields = fieldsDeclaredOn(prototype);
  for (const { declared } of fields) declared.finished = true;
  // With a proxy instead of a subclass, the name, prototype and metadata of the class do not change.
  const decorated = new Proxy(target, {
    construct(type, args, newTarget) {
      const host = Reflect.construct(type as unknown as new (...args: unknown[]) => object, args, newTarget);
      for (const field of fields) {
        const name = field.declared.field;
        const own = Object.getOwnPropertyDescriptor(host, name);
        if (own === undefined || 'get' in own || isAdopted(host, name)) continue;
        giveValue(host, field, own.value);
      }
      return host;
    },
  });
  undecorated.set(decorated, target);
  Object.defineProperty(prototype, 'constructor', { value: decorated, writable: true, configurable: true });
  return decorated;
}
