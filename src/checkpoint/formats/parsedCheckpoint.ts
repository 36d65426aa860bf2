import type { Budget } from '../source/budget.ts';
import type { Reading } from '../source/reading.ts';
import type { Box } from '../tensor/slice.ts';
import type { StoredTensor } from '../tensor/storedTensor.ts';
import type { FormatName } from './format.ts';

/** A tensor of a file whose bytes have not been read yet. */
export interface ParsedTensor {
  /** The element type by its name in safetensors; one that cannot be read is possible. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The same for tensors that are one; absent where the format knows no ties. */
  readonly identity?: string;
  /**
   * Reads its elements.
   *
   * @throws {@link CheckpointError} `DTYPE`, `UNSUPPORTED`, `CORRUPT`, `LIMIT`
   */
  read(name: string): Reading<StoredTensor>;
  /**
   * Reads a part of it, and no more of the file than it takes.
   *
   * @throws {@link CheckpointError} as {@link read}
   */
  slice(name: string, box: Box): Reading<StoredTensor>;
}

/** The contents of a file before its tensors are read. */
export interface ParsedCheckpoint {
  readonly format: FormatName;
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, ParsedTensor>;
  /** The object in a torch file: its dicts as `Map`s, its lists and tuples as arrays, its tensors as parsed ones. */
  readonly object: unknown;
  /** The limit of the memory that its tensors take. */
  readonly budget: Budget;
  /** The names of Python's classes and functions that stand in it as inert records. */
  readonly placeholders: readonly string[];
}
