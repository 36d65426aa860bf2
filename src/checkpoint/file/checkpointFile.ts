import type { Tensor } from '@tensorflow/tfjs-core';
import { CheckpointError, named, quoted } from '../checkpointError.ts';
import type { FormatName } from '../formats/format.ts';
import type { ParsedCheckpoint, ParsedTensor } from '../formats/parsedCheckpoint.ts';
import type { PythonObject } from '../formats/torch/pythonObject.ts';
import {
  type ByteSource,
  type CheckpointSource,
  type OpenOptions,
  openSource,
} from '../source/byteSource.ts';
import { type Reading, readFrom } from '../source/reading.ts';
import { boxIn, readBox } from '../tensor/slice.ts';
import { type StoredTensor, toTensor } from '../tensor/storedTensor.ts';

/** The dtype and shape of a tensor of a file. */
export interface TensorInfo {
  /** The element type by its name in safetensors: F32, BF16, I64, … */
  readonly dtype: string;
  /** The shape. */
  readonly shape: readonly number[];
}

/**
 * An open checkpoint. Its contents are known, and its tensors are read one by one.
 *
 * @remarks
 * **Ownership**: {@link close} it.
 */
export interface CheckpointFile {
  /** The format of the file, or of its shards. */
  readonly format: FormatName;
  /** The names of the tensors, in the order of the file. */
  readonly names: readonly string[];
  /** The texts in the metadata of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The names of the shards of an index; empty for a file that contains its tensors. */
  readonly shards: readonly string[];
  /** Groups of names that share one tensor. */
  readonly ties: readonly (readonly string[])[];
  /**
   * The object that was saved in a torch file: dicts as `Map`s, lists and tuples as arrays, tensors as
   * {@link TensorInfo}, objects of other classes as {@link PythonObject}. Null for safetensors.
   */
  readonly object: unknown;
  /**
   * The names of the classes and functions of Python in a torch file. Nothing of them is run; each is a
   * {@link PythonObject}.
   */
  readonly placeholders: readonly string[];
  /**
   * Returns the type and shape of one tensor.
   *
   * @throws {@link CheckpointError} `UNKNOWN_TENSOR`
   */
  info(name: string): TensorInfo;
  /**
   * Reads one tensor.
   *
   * @remarks
   * **Ownership**: the tensor belongs to the caller, a new one for each call.
   *
   * @throws {@link CheckpointError} `UNKNOWN_TENSOR`, `DTYPE` if tfjs cannot hold it, `UNREADABLE`, `DISPOSED` after
   * close
   */
  tensor(name: string): Promise<Tensor>;
  /**
   * Reads a part of one tensor, with the result of `tf.slice`, without reading the rest of the tensor.
   *
   * @remarks
   * **Ownership**: the tensor belongs to the caller, a new one for each call.
   *
   * @param begin - the start of the part along the first axes; default 0
   * @param size - the number of elements along them; -1, the default, for all that follow
   * @throws {@link CheckpointError} the errors of {@link tensor}; `OPTION` if the part is not inside of the tensor
   * @example
   * ```ts
   * const rows = await file.slice('embed.weight', [1000], [16]);
   * ```
   */
  slice(name: string, begin: readonly number[], size?: readonly number[]): Promise<Tensor>;
  /**
   * Reads one tensor exactly as the file has it, without converting its type.
   *
   * @throws {@link CheckpointError} as {@link tensor}
   */
  read(name: string): Promise<StoredTensor>;
  /** Closes the file. Tensors that were read stay valid. */
  close(): Promise<void>;
}

/** Opens a source with one of the parsers, for a caller that reads its tensors one by one. */
export async function openFile(
  caller: string,
  source: CheckpointSource,
  options: OpenOptions | undefined,
  parse: (size: number) => Reading<ParsedCheckpoint>,
): Promise<CheckpointFile> {
  try {
    const bytes = await openSource(source, options);
    try {
      const parsed = await readFrom(parse(bytes.size), bytes.read);
      parsed.budget.perRead();
      return fileOf(caller, parsed, bytes);
    } catch (error) {
      await bytes.close();
      throw error;
    }
  } catch (error) {
    throw named(caller, error);
  }
}

/** Makes an open file from its parsed contents and the bytes of its tensors. */
export function fileOf(
  caller: string,
  { format, metadata, tensors, object, placeholders }: ParsedCheckpoint,
  bytes: ByteSource,
): CheckpointFile {
  let isOpen = true;
  const find = (name: string): ParsedTensor => {
    const parsed = tensors.get(name);
    if (parsed !== undefined) return parsed;
    throw new CheckpointError(
      'UNKNOWN_TENSOR',
      `the file has no tensor ${quoted(name)}`,
      'Its names are in names.',
    );
  };
  const checked = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw named(caller, error);
    }
  };
  const reading = async (start: () => Reading<StoredTensor>): Promise<StoredTensor> => {
    if (!isOpen) {
      throw new CheckpointError(
        'DISPOSED',
        `${caller}: this file has been closed`,
        'Close it after the last tensor.',
      );
    }
    try {
      return await readFrom(start(), bytes.read);
    } catch (error) {
      throw named(caller, error);
    }
  };
  const read = (name: string): Promise<StoredTensor> => reading(() => find(name).read(name));
  return {
    format,
    metadata,
    object,
    placeholders,
    shards: [],
    names: [...tensors.keys()],
    ties: tiesOf(tensors),
    info: (name) =>
      checked(() => {
        const { dtype, shape } = find(name);
        return { dtype, shape };
      }),
    read,
    async tensor(name) {
      const stored = await read(name);
      return checked(() => toTensor(stored, name));
    },
    async slice(name, begin, size = []) {
      const stored = await reading(() => {
        const parsed = find(name);
        return parsed.slice(name, boxIn(name, parsed.shape, begin, size), readBox);
      });
      return checked(() => toTensor(stored, name));
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      await bytes.close();
    },
  };
}

function tiesOf(tensors: ReadonlyMap<string, ParsedTensor>): string[][] {
  const groups = new Map<string, string[]>();
  for (const [name, { identity }] of tensors) {
    if (identity === undefined) continue;
    const group = groups.get(identity);
    if (group === undefined) groups.set(identity, [name]);
    else group.push(name);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}
