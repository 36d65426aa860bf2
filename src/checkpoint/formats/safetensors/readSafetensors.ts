import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { named } from '../../checkpointError.ts';
import { plainBytes, readNow } from '../../source/reading.ts';
import { readTensors } from '../readTensors.ts';
import { parseSafetensors } from './parseSafetensors.ts';

/** The result of {@link readSafetensors}. */
export interface SafetensorsCheckpoint {
  /** The tensors by name, in the order of the header; the map has no prototype. */
  readonly tensors: NamedTensorMap;
  /** The texts in the metadata of the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file that is in memory.
 *
 * F32, I32 and BOOL become float32, int32 and bool. F16, BF16, I16, I8, U16 and U8 are widened exactly. F64 is rounded
 * to float32. I64, U64 and U32 become int32 if all values fit.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller. On backends that keep arrays (cpu), they share the memory of
 * `bytes`, so do not write to it afterwards.
 *
 * @throws {@link CheckpointError} `NOT_A_CHECKPOINT`, `CORRUPT`, `DTYPE` and the other codes of files
 * @example
 * ```ts
 * const { tensors } = readSafetensors(new Uint8Array(await file.arrayBuffer()));
 * ```
 * @see https://huggingface.co/docs/safetensors
 */
export function readSafetensors(bytes: Uint8Array | ArrayBuffer): SafetensorsCheckpoint {
  try {
    const file = plainBytes(bytes);
    const parsed = readNow(parseSafetensors(file.length), file);
    const tensors = readTensors(parsed, file);
    return { tensors, metadata: parsed.metadata };
  } catch (error) {
    throw named('readSafetensors', error);
  }
}
