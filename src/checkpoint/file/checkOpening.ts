import { checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import type { OpenOptions } from '../source/byteSource.ts';

/** The options of functions that open a file. */
export const openingOptions = ['onProgress', 'signal'] as const;

/**
 * Refuses options that the caller does not know, and options of a wrong type.
 *
 * @param known - all options that the caller knows
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkOpening(caller: string, options: OpenOptions, known: readonly string[]): void {
  checkOptions(caller, options, known);
  const { onProgress, signal } = options;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw refusal('OPTION', caller, `onProgress is ${String(onProgress)}, it must be a function`);
  }
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw refusal(
      'OPTION',
      caller,
      `signal is ${String(signal)}, it must be an AbortSignal`,
      'Pass controller.signal.',
    );
  }
}
