import { ParametrizeError } from '../../core/errors.ts';

/** A tensor that cannot have what a rule or an entry asks for. */
export interface Conflict {
  readonly fact: string;
  /** What helps with this conflict. */
  readonly remedy: string;
}

/**
 * Refuses conflicts, all at once.
 *
 * @throws {@link ParametrizeError} `CONFLICT`
 */
export function checkConflicts(caller: string, conflicts: readonly Conflict[]): void {
  if (conflicts.length === 0) return;
  throw new ParametrizeError('CONFLICT', {
    caller,
    fact: conflicts.map(({ fact }) => fact).join('; '),
    remedy: [...new Set(conflicts.map(({ remedy }) => remedy))].join(' '),
  });
}
