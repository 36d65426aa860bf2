import { checkBoolean } from '../../../core/checkOptions.ts';
import type { ParametrizeError } from '../../../core/errors.ts';

/** Options of functions that read a torch file. */
export interface TorchOptions {
  /**
   * True to verify the checksum of every entry that is read. torch does not verify them. Files before version 1.6 have
   * none. Default false.
   */
  readonly checkCrc?: boolean;
}

/**
 * Refuses invalid values.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkTorchOptions(caller: string, { checkCrc }: TorchOptions): void {
  if (checkCrc !== undefined) checkBoolean(caller, 'checkCrc', checkCrc);
}
