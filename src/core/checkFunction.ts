import { refusal } from './errors.ts';
import { isThenable } from './guards.ts';
import { typeName } from './text.ts';

/**
 * Refuses an argument that is not a function, such as the promise of an asynchronous function that was called.
 *
 * @param call - a right call, for the message: `cached(async () => { … })`
 * @throws {@link ParametrizeError} `NOT_A_FUNCTION`
 */
export function checkFunction(caller: string, fn: unknown, call: string): void {
  if (typeof fn === 'function') return;
  throw refusal(
    'NOT_A_FUNCTION',
    caller,
    `expected a function, got ${isThenable(fn) ? 'a promise, whose work began outside of the scope' : typeName(fn)}`,
    `Pass the function itself: ${call}.`,
  );
}
