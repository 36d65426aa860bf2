import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { named } from '../../checkpointError.ts';
import { fromTensor, type StoredTensor } from '../../tensor/storedTensor.ts';
import { safetensorsFile } from './safetensorsFile.ts';

/**
 * Writes a safetensors file. Equal maps give equal files: tensors are ordered by element size and then by name, as in
 * the reference implementation.
 *
 * float32, int32 and bool become F32, I32 and BOOL. A tensor with two names is written twice, because the format has no
 * ties.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller, who must not dispose them before the promise is fulfilled.
 *
 * @param metadata - the texts for the file
 * @throws {@link CheckpointError} `DTYPE`, `OPTION`
 */
export async function writeSafetensors(
  map: NamedTensorMap,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  try {
    const stored = new Map<string, StoredTensor>();
    for (const [name, tensor] of Object.entries(map)) stored.set(name, await fromTensor(tensor, name));
    return safetensorsFile(stored, metadata);
  } catch (error) {
    throw named('writeSafetensors', error);
  }
}
