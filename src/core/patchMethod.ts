/**
 * Puts a method in the place of one that an object has or inherits. The new property cannot be enumerated.
 *
 * @param replace - makes the new method of the old one
 * @returns restores the property that was there, or that there was none
 */
export function patchMethod<O extends object, K extends keyof O>(
  object: O,
  name: K,
  replace: (method: O[K]) => O[K],
): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name);
  const value = replace(object[name]);
  Object.defineProperty(object, name, { value, enumerable: false, configurable: true, writable: true });
  return () => {
    if (before === undefined) delete (object as Partial<O>)[name];
    else Object.defineProperty(object, name, before);
  };
}
