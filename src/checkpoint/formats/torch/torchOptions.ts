import { checkBoolean } from '../../../core/checkOptions.ts';
import type { ParametrizeError } from '../../../core/errors.ts';

/** Options of whatever reads a torch file. */
export interface TorchOptions {
  /**
   * True if the checksums of the archive are verified, of every entry that is read. torch does not. Files before
   * version 1.6 have none. Default false.
   */
  readonly checkCrc?: boolean;
}

/**
 * Refuses values that no option can have.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkTorchOptions(caller: string, { checkCrc }: TorchOptions): void {
  if (checkCrc !== undefined) checkBoolean(caller, 'checkCrc', checkCrc);
}
