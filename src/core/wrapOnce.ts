/**
 * Wraps a method that an object has itself, once, whichever copies of this package do it.
 *
 * @param mark - a symbol of the registry; the method carries it from then on
 * @returns false if the object has no such method
 */
export function wrapOnce<O extends object, K extends keyof O>(
  owner: O,
  name: K,
  mark: symbol,
  wrap: (method: O[K]) => O[K],
): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name);
  const method: unknown = descriptor?.value;
  if (typeof method !== 'function') return false;
  if (mark in method) return true;
  const wrapped = wrap(method as O[K]);
  Object.defineProperty(wrapped, mark, { value: true });
  Object.defineProperty(owner, name, { ...descriptor, value: wrapped });
  return true;
}
