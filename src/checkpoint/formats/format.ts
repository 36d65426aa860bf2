import type { ParametrizeError } from '../../core/errors.ts';
import type { Reading } from '../source/reading.ts';
import type { ParsedCheckpoint } from './parsedCheckpoint.ts';

/** The names of the formats that can be read. */
export type FormatName = 'safetensors' | 'torch';

/** Options that one format has, by their names. */
export type FormatOptions = Readonly<Record<string, unknown>>;

/** Reads what is in a file of some size in bytes, but for the elements of its tensors. */
type Parse = (size: number, options: FormatOptions) => Reading<ParsedCheckpoint>;

/** A format of checkpoints. A new one is a folder with one of these, and a line in `formats.ts`. */
export interface Format {
  readonly name: FormatName;
  /** True if a file may have the format, by its first bytes; of two that say so, the first of the list has it. */
  looksLike(start: Uint8Array, size: number): boolean;
  /** Loads the parser: a program that opens files of other formats only never has it. */
  parser(): Promise<Parse>;
  /** True if its names are in the order in which the tensors were made. */
  readonly keepsOrder: boolean;
  /** The options of opening that it has and others do not. */
  readonly options: readonly string[];
  /**
   * Refuses values that these options cannot have.
   *
   * @throws {@link ParametrizeError} `OPTION`
   */
  checkOptions(caller: string, options: FormatOptions): void;
}

/** True if bytes begin with others. */
export const startsWith = (start: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, i) => start[i] === byte);

/** The number of first bytes that {@link Format.looksLike} gets; fewer if the file has fewer. */
export const startLength = 64;
