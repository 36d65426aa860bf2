import type { ParametrizeError } from '../../core/errors.ts';
import type { Reading } from '../source/reading.ts';
import type { ParsedCheckpoint } from './parsedCheckpoint.ts';

/** The names of the formats that can be read. */
export type FormatName = 'safetensors' | 'torch';

/** The options of one format, by their names. */
export type FormatOptions = Readonly<Record<string, unknown>>;

/** Reads the contents of a file of some size in bytes, without the elements of its tensors. */
type Parse = (size: number, options: FormatOptions) => Reading<ParsedCheckpoint>;

/** A format of checkpoints. A new format needs a folder with a `Format`, and a line in `formats.ts`. */
export interface Format {
  readonly name: FormatName;
  /** True if the first bytes of a file allow the format. If several formats do, the first in the list is used. */
  looksLike(start: Uint8Array, size: number): boolean;
  /** Loads the parser, so a program without files of this format never loads it. */
  parser(): Promise<Parse>;
  /** True if names are in the order in which the tensors were made. */
  readonly keepsOrder: boolean;
  /** The additional options of opening. */
  readonly options: readonly string[];
  /**
   * Refuses invalid values of these options.
   *
   * @throws {@link ParametrizeError} `OPTION`
   */
  checkOptions(caller: string, options: FormatOptions): void;
}

/** True if bytes begin with other bytes. */
export const startsWith = (start: Uint8Array, bytes: readonly number[]): boolean =>
  bytes.every((byte, i) => start[i] === byte);

/** The number of first bytes for {@link Format.looksLike}; a short file has fewer. */
export const startLength = 64;
