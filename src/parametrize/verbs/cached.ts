/// <reference lib="esnext.disposable" preserve="true" />

import { checkFunction } from '../../core/checkFunction.ts';
import { settle } from '../../core/settle.ts';
import { tensorsIn } from '../../engine/scope.ts';
import { enterScope, leaveScope } from '../chain/cacheScope.ts';

/**
 * Runs a function in a cache scope. While it runs, a parametrized tensor is evaluated once for each change of a
 * dependency, instead of once for each read.
 *
 * The function may be a whole training loop, synchronous or asynchronous. No value is used after an optimizer step, an
 * assignment or a mode change, or on another tape (law L3). So values and gradients are the same as without the scope.
 *
 * @remarks
 * **Ownership**: the result belongs to the caller, as with `tf.tidy`, if it is the result of an op or the value of a
 * chain that is not pure. The borrowed value of a pure chain stays borrowed. Inside the scope, a read of a chain that
 * is not pure, outside of every tidy, is borrowed, too. It is valid until the first read after a change, or until the
 * last open scope ends.
 *
 * @param fn - the function; if it returns a promise, the scope lasts until the promise settles
 * @returns what `fn` returns
 * @throws {@link ParametrizeError} `NOT_A_FUNCTION` if `fn` is not a function, for example a promise
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
  checkFunction('cached', fn, 'cached(async () => { … })');
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
