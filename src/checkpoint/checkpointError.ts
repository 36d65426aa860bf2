import { type ErrorCode, ParametrizeError } from '../core/errors.ts';

/** The options of a {@link CheckpointError}. */
export interface CheckpointErrorOptions extends ErrorOptions {
  /** The function that was called. If it is not known, the function adds itself when the error leaves it. */
  readonly caller?: string | undefined;
  /** See {@link CheckpointError.rename}. */
  readonly rename?: Readonly<Record<string, string | null>> | undefined;
}

/**
 * The error for a checkpoint that cannot be read or written. Catch it around code that reads files of other people.
 *
 * The codes are `NOT_A_CHECKPOINT` (another kind of file), `CORRUPT` (damaged, cut off or contradictory), `UNSAFE`
 * (loading it would run code), `UNSUPPORTED` (well-formed, but not for tfjs), `DTYPE` (a type or value that tfjs cannot
 * hold), `LIMIT` (more memory than the size of the file justifies), `UNKNOWN_TENSOR`, `UNKNOWN_RECIPE`, `AMBIGUOUS`,
 * `CONFLICT`, `TIED`, `UNREADABLE` (the source itself fails), `OPTION` and `DISPOSED`.
 */
export class CheckpointError extends ParametrizeError {
  /** The name of the class. */
  override readonly name: string = 'CheckpointError';
  /** The complete option `rename` from the message of `AMBIGUOUS`, if the modules of a file fit several layers. */
  readonly rename?: Readonly<Record<string, string | null>>;

  /** The fact that is wrong. */
  declare readonly fact: string;
  /** The remedy. */
  declare readonly remedy: string;

  constructor(
    code: ErrorCode,
    fact: string,
    remedy: string,
    { caller, rename, ...options }: CheckpointErrorOptions = {},
  ) {
    super(code, { caller, fact, remedy }, options);
    if (rename !== undefined) this.rename = rename;
  }
}

/** The error for bytes that contradict their format. */
export const corrupt = (fact: string): CheckpointError =>
  new CheckpointError('CORRUPT', fact, 'The file is damaged or incomplete: get it again.');

/** Adds the public function as the caller to an error. */
export function named(caller: string, error: unknown): unknown {
  if (error instanceof ParametrizeError && error.caller === 'stateDict') {
    const { code, fact, remedy } = error;
    return new ParametrizeError(code, { caller, fact: fact!, remedy }, { cause: error.cause });
  }
  if (!(error instanceof CheckpointError) || error.caller !== undefined) return error;
  const { code, fact, remedy, cause, rename } = error;
  return new CheckpointError(code, fact, remedy, { caller, cause, rename });
}

const shown = 80;

/** Returns text from a file without control characters. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/** Returns text from a file for a message: printable, quoted and shortened. */
export const quoted = (text: string): string =>
  text.length > shown
    ? `'${printable(text.slice(0, shown))}…' (${text.length} characters)`
    : `'${printable(text)}'`;

// Control characters move the cursor of a terminal. The others reverse or hide text, or are lone surrogates.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
