/** True if a value is an object or an array. */
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** True if a value is an object with keys, as in JSON. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && !Array.isArray(value);

/** True if a value is a safe integer that is not negative: a count or an offset. */
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** True if a value is a class and not an ordinary function. Always false for code that was compiled to ES5. */
export const isClass = (value: object): boolean => /^class\b/.test(Function.prototype.toString.call(value));

/** True if a value is a promise or another object with a `then`. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
