/// <reference lib="esnext.disposable" preserve="true" />

import { refusal } from '../../core/errors.ts';
import { isThenable } from '../../core/guards.ts';
import { settle } from '../../core/settle.ts';
import { typeName } from '../../core/text.ts';
import { tensorsIn } from '../../engine/scope.ts';
import { enterScope, leaveScope } from '../chain/cacheScope.ts';

/**
 * Runs a function in a cache scope: while it runs, a parametrized tensor is evaluated once per change of what it
 * depends on, instead of once per read.
 *
 * A whole training loop may be wrapped, synchronous or not: an entry is never served after an optimizer step, an
 * assignment, a mode change, or on another tape (law L3), so values and gradients are those of the uncached program.
 *
 * @remarks
 * **Ownership**: of the result: the caller's, as from `tf.tidy`, where it is an op's result or a value of a chain that
 * is not pure; the borrowed value of a pure chain stays borrowed. Inside the scope, a read outside of every tidy of a
 * chain that is not pure is borrowed too: valid until the tensor is read again after a change, or the last open scope
 * ends.
 *
 * @param fn - the function; if it returns a promise, the scope lasts until that settles
 * @returns what `fn` returns
 * @throws {@link ParametrizeError} `NOT_A_FUNCTION` if `fn` is something else, such as a promise that already runs
 * @example
 * ```ts
 * await cached(async () => {
 *   for (const batch of batches) await step(batch);
 * });
 * ```
 * @see torch.nn.utils.parametrize.cached
 */
export function cached<T>(fn: () => T): T;
/**
 * Opens a cache scope that lasts until it is disposed: `using scope = cached();`
 *
 * @returns the scope; ending it twice does nothing
 */
export function cached(): Disposable;
export function cached<T>(...args: [] | [fn: () => T]): T | Disposable {
  if (args.length === 0) return openScope();
  const [fn] = args;
  if (typeof fn !== 'function') {
    throw refusal(
      'NOT_A_FUNCTION',
      'cached',
      `expected a function, got ${isThenable(fn) ? 'a promise, whose work began outside of the scope' : typeName(fn)}`,
      'Pass the function itself: cached(async () => { … }).',
    );
  }
  enterScope();
  return settle(fn, (result) => leaveScope(tensorsIn(result)));
}

function openScope(): Disposable {
  enterScope();
  let open = true;
  return {
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      leaveScope([]);
    },
  };
}
