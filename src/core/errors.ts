/**
 * The codes of a {@link ParametrizeError}. Codes are stable: match on `error.code`, which also works across realms and
 * across two copies of the package, where `instanceof` does not.
 */
export type ErrorCode =
  | 'ALREADY_PARAMETRIZED'
  | 'AMBIGUOUS'
  | 'ASYNC'
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
  | 'NOT_PARAMETRIZED'
  | 'NOT_PURE'
  | 'NOT_SYNCED'
  | 'OPTION'
  | 'OUT_OF_MEMORY'
  | 'RIGHT_INVERSE'
  | 'SHAPE'
  | 'SHARED'
  | 'STATE_DICT'
  | 'TIED'
  | 'TWO_COPIES'
  | 'UNKNOWN_RECIPE'
  | 'UNKNOWN_TENSOR'
  | 'UNREADABLE'
  | 'UNREGISTERED_MODULE'
  | 'UNSAFE'
  | 'UNSUPPORTED'
  | 'UNSUPPORTED_HOST';

/** The parts of the message of a {@link ParametrizeError}. */
export interface ErrorParts {
  /** The function that was called. */
  readonly caller?: string | undefined;
  /** The fact that is wrong, with both values; a sentence without its full stop. */
  readonly fact: string;
  /** The remedy, in whole sentences. */
  readonly remedy?: string | undefined;
}

/**
 * The error that every function of this package throws on bad input.
 *
 * The message names the function, states the fact with both values, and ends with the remedy. The call that threw the
 * error has changed nothing (law L5).
 */
export class ParametrizeError extends Error {
  /** The name of the class. */
  override readonly name: string = 'ParametrizeError';
  /** The stable, machine-readable reason. */
  readonly code: ErrorCode;

  /** The function that was called; undefined if the error was made from a plain message. */
  readonly caller?: string;
  /** The fact, without the function and the remedy; undefined if the error was made from a plain message. */
  readonly fact?: string;
  /** The remedy; undefined if the error was made from a plain message. */
  readonly remedy?: string;

  /** @param message - the message, or its parts, which are joined as `caller: fact. remedy` */
  constructor(code: ErrorCode, message: string | ErrorParts, options?: ErrorOptions) {
    super(typeof message === 'string' ? message : textOf(message), options);
    this.code = code;
    if (typeof message === 'string') return;
    const { caller, fact, remedy } = message;
    this.fact = fact;
    if (caller !== undefined) this.caller = caller;
    if (remedy !== undefined) this.remedy = remedy;
  }
}

/** Returns the message of an error without its remedy, for callers that state another remedy. */
export const factOf = ({ caller, fact, message }: ParametrizeError): string =>
  fact === undefined ? message : `${caller === undefined ? '' : `${caller}: `}${fact}`;

const textOf = ({ caller, fact, remedy }: ErrorParts): string =>
  `${caller === undefined ? '' : `${caller}: `}${fact}.${remedy ? ` ${remedy}` : ''}`;
