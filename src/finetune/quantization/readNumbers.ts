import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { quoted } from '../../checkpoint/checkpointError.ts';
import { toFloat16 } from '../../checkpoint/tensor/half.ts';
import { fromTensor, type StoredTensor } from '../../checkpoint/tensor/storedTensor.ts';
import { refusal } from '../../core/errors.ts';

/**
 * Reads the numbers of tensors.
 *
 * @throws {@link ParametrizeError} `NOT_FINITE` for NaN and infinity
 * @throws {@link CheckpointError} `DTYPE` for strings and complex numbers
 */
export async function readNumbers(
  caller: string,
  tensors: NamedTensorMap,
): Promise<Map<string, StoredTensor>> {
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const numbers = await fromTensor(tensor, name);
    if (numbers.dtype === 'F32' && !(numbers.data as Float32Array).every(Number.isFinite)) {
      throw refusal(
        'NOT_FINITE',
        caller,
        `${quoted(name)} has NaN or infinity`,
        'Restore an earlier state of the model; nothing is written.',
      );
    }
    stored.set(name, numbers);
  }
  return stored;
}

/** Returns numbers as float16; null if one is too large for it. */
export function halved(values: Float32Array): Uint16Array | null {
  const halves = toFloat16(values);
  return halves.some((half) => (half & 0x7c00) === 0x7c00) ? null : halves;
}
