import { fieldsDeclaredOn, undecorated } from './declaredFields.ts';
import { giveValue, isAdopted } from './fieldValue.ts';
import { isStandard } from './standardDecorator.ts';

/** A class, also an abstract one. */
export type AnyClass = abstract new (...args: never) => object;

/**
 * Completes the decorated fields of each object of a class when its constructor has run. Needed on each class with
 * decorated fields under `experimentalDecorators` with `useDefineForClassFields: true`; in every other mode it changes
 * nothing.
 *
 * There the constructor itself still sees the plain variables.
 *
 * @returns the class; in legacy mode one that stands for it
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
  // A proxy and not a subclass: name, prototype and metadata stay those of the class.
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
