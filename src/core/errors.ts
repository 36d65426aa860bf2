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

/** A shape as messages print it: `[3, 4]`. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The class name of an object as messages print it. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object' && typeof value !== 'function') return typeof value;
  if (typeof value === 'function') return value.name ? `function ${value.name}` : 'a function';
  const type: unknown = Object.getPrototypeOf(value)?.constructor;
  return typeof type === 'function' && type.name ? type.name : 'Object';
}

/** ` Did you mean 'weight'?` if a known name is close to the one asked for, else the empty string. */
export function didYouMean(asked: string, known: Iterable<string>): string {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(asked.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(asked.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best === undefined ? '' : ` Did you mean '${best}'?`;
}

/** Damerau–Levenshtein distance (adjacent swaps count one), so that `wieght` is one step from `weight`. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(substitution, rows[i - 1]![j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, rows[i - 2]![j - 2]! + 1);
      }
      row.push(distance);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
