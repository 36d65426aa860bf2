import { refusal } from '../../core/errors.ts';
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
  throw refusal(
    'ASYNC',
    'call',
    `the forward of ${typeName(module)} returned a promise. Its tensors are disposed before it ends`,
    'Make forward synchronous and await outside of it.',
  );
}
