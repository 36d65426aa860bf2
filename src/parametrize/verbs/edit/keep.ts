import { checkChoice } from '../../../core/checkOptions.ts';

/** The part that an edit keeps: the value, through the right inverses, or the originals. */
export type Keep = 'value' | 'originals';

/** Options of functions that edit a chain. */
export interface KeepOptions {
  /**
   * `'value'` if the value of the tensor after the edited steps stays, for which right inverses give the originals;
   * `'originals'` if the originals stay, and the value changes. Default `'value'`.
   */
  readonly keep?: Keep;
}

/**
 * Returns the option `keep`.
 *
 * @throws {@link ParametrizeError} `OPTION`
 */
export function checkKeep(caller: string, { keep = 'value' }: KeepOptions): Keep {
  checkChoice(caller, 'keep', keep, ['value', 'originals']);
  return keep;
}
