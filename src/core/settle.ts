import { isThenable } from './guards.ts';

/**
 * Runs a function, synchronous or asynchronous, and then `after`, even if the function throws.
 *
 * @param run - the function; if it returns a promise, its work ends when the promise settles
 * @param after - a function that gets the result of the work, or undefined if the work threw
 * @returns what `run` returns
 */
export function settle<T>(run: () => T, after: (result: unknown) => void): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    after(undefined);
    throw error;
  }
  if (!isThenable(result)) {
    after(result);
    return result;
  }
  return result.then(
    (value) => {
      after(value);
      return value;
    },
    (error: unknown) => {
      after(undefined);
      throw error;
    },
  ) as T;
}
