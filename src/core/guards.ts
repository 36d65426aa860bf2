/** True if a value is an object, an array among them. */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** True if a value is an object with keys, as in JSON. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && !Array.isArray(value);

/** True if a value is a number of things, or an offset among them. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** True if a value is a class, and no other function. Code that is compiled to ES5 has none. */
export const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value));

/** True if a value is a promise, or another object with a `then`. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
