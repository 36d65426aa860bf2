/**
 * The codes of a {@link ParametrizeError}. Codes are stable: match on `error.code`, which also works across realms and
 * across two copies of the package, where `instanceof` does not.
 */
export type ErrorCode =
  | 'ALREADY_PARAMETRIZED'
  | 'AMBIGUOUS'
  | 'ASYNC'
  | 'CONFLICT'
  | 'CORRUPT'
  | 'CYCLE'
  | 'DECORATOR'
  | 'DISPOSED'
  | 'DTYPE'
  | 'FORWARD_RESULT'
  | 'GRADIENT'
  | 'HIDDEN_DEPENDENCY'
  | 'IMMUTABLE_HOST'
  | 'INVALID_NAME'
  | 'INVALID_PARAMETRIZATION'
  | 'LIMIT'
  | 'NO_BACKEND'
  | 'NO_GRADIENTS'
  | 'NOT_A_CHECKPOINT'
  | 'NOT_A_FUNCTION'
  | 'NOT_A_VARIABLE'
  | 'NOT_FINITE'
  | 'NOT_IN_SET'
  | 'NOT_PARAMETRIZED'
  | 'NOT_PURE'
  | 'NOT_SYNCED'
  | 'OPTION'
  | 'OUT_OF_MEMORY'
  | 'PATTERN'
  | 'RIGHT_INVERSE'
  | 'SHAPE'
  | 'SHARED'
  | 'STALE_PLAN'
  | 'STATE_DICT'
  | 'TIED'
  | 'TWO_COPIES'
  | 'UNGROUPED'
  | 'UNKNOWN_RECIPE'
  | 'UNKNOWN_TENSOR'
  | 'UNMATCHED_RULE'
  | 'UNREADABLE'
  | 'UNREGISTERED_MODULE'
  | 'UNSAFE'
  | 'UNSUPPORTED'
  | 'UNSUPPORTED_HOST';

/** The parts of the message of a {@link ParametrizeError}. */
export interface ErrorParts {
  /** The function that was called. */
  readonly caller?: string | undefined;
  /** The fact that is wrong, with both values: sentences without the last full stop. */
  readonly fact: string;
  /** The remedy, in whole sentences. */
  readonly remedy?: string | undefined;
}

/**
 * The error that every function of this package throws on bad input.
 *
 * `message = caller: fact. remedy`
 *
 * @remarks
 * The call that threw the error has changed nothing (law L5). The parts are fields, so that a program that catches the
 * error does not read the message.
 */
export class ParametrizeError extends Error {
  /** The name of the class. */
  override readonly name: string = 'ParametrizeError';
  /** The stable, machine-readable reason. */
  readonly code: ErrorCode;

  /** The function that was called; undefined if the error is about data that several functions read. */
  readonly caller: string | undefined;
  /** The fact that is wrong, with both values, without the last full stop. */
  readonly fact: string;
  /** The remedy; undefined if the fact tells it. */
  readonly remedy: string | undefined;

  /**
   * @param code - the reason
   * @param parts - the parts of the message
   * @param options - the cause
   */
  constructor(code: ErrorCode, { caller, fact, remedy }: ErrorParts, options?: ErrorOptions) {
    // A remedy may begin with a suggestion, which is an empty text or a sentence after a space.
    const advice = remedy?.trim() || undefined;
    super(`${prefix(caller)}${fact}.${advice ? ` ${advice}` : ''}`, options);
    this.code = code;
    this.fact = fact;
    this.caller = caller;
    this.remedy = advice;
  }
}

/** Returns the error of a function that refuses its input. */
export const refusal = (code: ErrorCode, caller: string, fact: string, remedy?: string): ParametrizeError =>
  new ParametrizeError(code, { caller, fact, remedy });

/** Returns the message of an error without its remedy, for callers that state another remedy. */
export const factOf = ({ caller, fact }: ParametrizeError): string => prefix(caller) + fact;

const prefix = (caller: string | undefined): string => (caller === undefined ? '' : `${caller}: `);
