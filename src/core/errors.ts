/**
 * Every code that a {@link ParametrizeError} can carry. Codes are stable: match on `error.code`, which also works
 * across realms and across two copies of the package, where `instanceof` does not.
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

/**
 * The error that every function of this package throws on bad input.
 *
 * The message names the function, states the fact with both values, and ends with the remedy. Whatever call threw it
 * has changed nothing (law L5).
 */
export class ParametrizeError extends Error {
  /** The name of the class. */
  override readonly name: string = 'ParametrizeError';
  /** Stable machine-readable reason. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
