import { type ErrorCode, ParametrizeError } from '../core/errors.ts';

/** The fields of a {@link CheckpointError} besides its message. */
export interface CheckpointErrorOptions extends ErrorOptions {
  /** The function that was called; put in front where the error leaves it, if it is not known before. */
  readonly caller?: string | undefined;
  /** See {@link CheckpointError.rename}. */
  readonly rename?: Readonly<Record<string, string | null>> | undefined;
}

/**
 * A checkpoint that cannot be read or written: catch this one around whatever reads a file that somebody else made.
 *
 * The codes are `NOT_A_CHECKPOINT` (another kind of file), `CORRUPT` (damaged, cut off or contradictory), `UNSAFE` (it
 * would have to run code), `UNSUPPORTED` (well-formed, but not for tfjs), `DTYPE` (a type or value that tfjs cannot
 * hold), `LIMIT` (it would take more memory than its size justifies), `UNKNOWN_TENSOR`, `UNKNOWN_RECIPE`, `AMBIGUOUS`,
 * `UNREADABLE` (the source itself fails), `OPTION` and `DISPOSED`.
 */
export class CheckpointError extends ParametrizeError {
  /** The name of the class. */
  override readonly name: string = 'CheckpointError';
  /**
   * The option `rename` that the message of `AMBIGUOUS` shows, if the modules of a file could be several layers. It
   * pairs all of them.
   */
  readonly rename?: Readonly<Record<string, string | null>>;

  /** The fact that is wrong. */
  declare readonly fact: string;
  /** The way to mend it. */
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

/** An error that a reader of pieces throws, with the public function as its caller. */
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

/** Text from a file as a terminal may show it: without control characters. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/** Text from a file as a message may show it: printable, in quotes, and not too much of it. */
export const quoted = (text: string): string =>
  text.length > shown
    ? `'${printable(text.slice(0, shown))}…' (${text.length} characters)`
    : `'${printable(text)}'`;

// Control characters move the cursor of a terminal, the others reverse or hide the text after them; lone surrogates.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
