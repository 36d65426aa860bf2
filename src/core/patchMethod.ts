/**
 * Replaces a method that an object has or inherits. The new property is not enumerable.
 *
 * @param replace - makes the new method from the old one
 * @returns a function that restores the old property, or removes the new one if the object had none of its own
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
