const SELF: unique symbol = Symbol.for('tfjs-parametrize.self') as never;

/** Objects that are known to be no proxies, or to stand for themselves. */
const raws = new WeakSet<object>();

/**
 * The object behind a proxy, such as Vue's `reactive(model)`, or the object itself. What is known about an object
 * stands beside it, under the object: it must not depend on how the object is reached.
 *
 * Note [Proxies]: an object cannot be asked whether it is a proxy. So a module, and a host from its registration on,
 * has a hidden property that holds the object itself. It is read through its descriptor, because a proxy that wraps
 * values does not wrap the values of descriptors. If a plain object is registered through a proxy, the proxy stands for
 * both.
 */
export function rawOf<T extends object>(object: T): T {
  // Callers pass on what their user gave, which may be no object.
  if (raws.has(object) || typeof object !== 'object' || object === null) return object;
  const descriptor = Object.getOwnPropertyDescriptor(object, SELF);
  return descriptor === undefined ? object : (descriptor.value as T);
}

/** Makes {@link rawOf} work for an object, from behind proxies too. */
export function markSelf(object: object): void {
  if (Object.hasOwn(object, SELF) || !Object.isExtensible(object)) return;
  Object.defineProperty(object, SELF, { value: object, configurable: true });
  raws.add(object);
}

/** Takes back what {@link markSelf} did. */
export function unmarkSelf(object: object): void {
  raws.delete(rawOf(object));
  Reflect.deleteProperty(object, SELF);
}

/** True for the property that {@link markSelf} makes, which a copy of an object must have anew. */
export const isSelfMark = (key: PropertyKey): boolean => key === SELF;
