import { ParametrizeError } from '../../core/errors.ts';
import { isThenable } from '../../core/guards.ts';
import { typeName } from '../../core/text.ts';

/**
 * Refuses a promise as the output of a forward pass.
 *
 * @throws {@link ParametrizeError} `ASYNC`
 */
export function checkSynchronous(module: object, output: unknown): void {
  if (!isThenable(output)) return;
  // No caller sees the promise. Without a handler, its rejection would end the process.
  Promise.resolve(output).catch(() => {});
  throw new ParametrizeError('ASYNC', {
    caller: 'call',
    fact: `the forward of ${typeName(module)} returned a promise; its tensors would be disposed before it ends`,
    remedy: 'Make forward synchronous and await outside of it.',
  });
}
