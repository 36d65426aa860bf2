import type { NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { readNow } from '../source/reading.ts';
import { toTensor } from '../tensor/storedTensor.ts';
import type { ParsedCheckpoint } from './parsedCheckpoint.ts';

/** Makes all tensors of a file in memory, or none if one cannot be made. Tied tensors are made once. */
export function readTensors({ tensors }: ParsedCheckpoint, bytes: Uint8Array): NamedTensorMap {
  // The map has no prototype, so `map['constructor']` is a tensor of the file or undefined.
  const map: NamedTensorMap = Object.create(null);
  const tied = new Map<string, Tensor>();
  try {
    for (const [name, parsed] of tensors) {
      const { identity } = parsed;
      const known = identity === undefined ? undefined : tied.get(identity);
      const tensor = known ?? toTensor(readNow(parsed.read(name), bytes), name);
      map[name] = tensor;
      if (identity !== undefined) tied.set(identity, tensor);
    }
  } catch (error) {
    tf.dispose(Object.values(map));
    throw error;
  }
  return map;
}
