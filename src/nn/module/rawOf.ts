const SELF: unique symbol = Symbol.for('tfjs-parametrize.self') as never;

/** Objects that are known not to be proxies, or that count as their own target. */
const raws = new WeakSet<object>();

/**
 * Returns the object behind a proxy, such as Vue's `reactive(model)`, or the object itself. Weak maps store facts under
 * this object, so they do not depend on how the object is reached.
 *
 * Note [Proxies]: an object cannot be asked whether it is a proxy. So a module, and a host from its registration on,
 * has a hidden property that holds the object itself. It is read through its descriptor, because a proxy that wraps
 * values does not wrap the values of descriptors. If a plain object is registered through a proxy, the proxy represents
 * both.
 */
export function rawOf<T extends object>(object: T): T {
  // Callers pass on values of the user, which may not be objects.
  if (raws.has(object) || typeof object !== 'object' || object === null) return object;
  const descriptor = Object.getOwnPropertyDescriptor(object, SELF);
  return descriptor === undefined ? object : (descriptor.value as T);
}

/** Makes {@link rawOf} work for an object, even through proxies. */
export function markSelf(object: object): void {
  if (Object.hasOwn(object, SELF) || !Object.isExtensible(object)) return;
  Object.defineProperty(object, SELF, { value: object, configurable: true });
  raws.add(object);
}

/** Undoes {@link markSelf}. */
export function unmarkSelf(object: object): void {
  raws.delete(rawOf(object));
  Reflect.deleteProperty(object, SELF);
}

/** True for the property that {@link markSelf} makes. A copy of an object needs its own. */
export const isSelfMark = (key: PropertyKey): boolean => key === SELF;
