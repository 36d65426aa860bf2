/**
 * Wraps an own method of an object, once, even if several copies of this package try.
 *
 * @param mark - a symbol from the global registry, which marks the wrapped method
 * @returns false if the object has no such own method
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
