import type { Budget } from '../source/budget.ts';
import type { Reading } from '../source/reading.ts';
import type { Box, ReadBox } from '../tensor/slice.ts';
import type { StoredTensor } from '../tensor/storedTensor.ts';
import type { FormatName } from './format.ts';

/** A tensor of a file whose bytes have not been read yet. */
export interface ParsedTensor {
  /** The element type by its name in safetensors. It may be a type that cannot be read. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The same text for tied tensors; absent if the format has no ties. */
  readonly identity?: string;
  /**
   * Reads the elements.
   *
   * @throws {@link CheckpointError} `DTYPE`, `UNSUPPORTED`, `CORRUPT`, `LIMIT`
   */
  read(name: string): Reading<StoredTensor>;
  /**
   * Reads a part of the tensor, and as little of the file as possible.
   *
   * @param readBox - reads a part of contiguous elements; a program that reads whole tensors does not load it
   * @throws {@link CheckpointError} the errors of {@link read}
   */
  slice(name: string, box: Box, readBox: ReadBox): Reading<StoredTensor>;
}

/** The contents of a file before its tensors are read. */
export interface ParsedCheckpoint {
  readonly format: FormatName;
  readonly metadata: Readonly<Record<string, string>>;
  /** The tensors in the order of the file. */
  readonly tensors: ReadonlyMap<string, ParsedTensor>;
  /** The object in a torch file: dicts as `Map`s, lists and tuples as arrays, tensors as parsed tensors. */
  readonly object: unknown;
  /** The limit of the memory for the tensors. */
  readonly budget: Budget;
  /** The names of Python's classes and functions that are inert records in the object. */
  readonly placeholders: readonly string[];
}
