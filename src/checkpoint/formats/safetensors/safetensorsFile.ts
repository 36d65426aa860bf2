import type { StoredTensor } from '../../tensor/storedTensor.ts';
import { headerFor } from './safetensorsHeader.ts';

/** Returns the bytes of a safetensors file with tensors as they are stored. */
export function safetensorsFile(
  stored: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const { header, order } = headerFor(stored, metadata);
  const arrays = order.map((name) => stored.get(name)!.data);
  const file = new Uint8Array(arrays.reduce((size, { byteLength }) => size + byteLength, header.length));
  file.set(header);
  let offset = header.length;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    file.set(new Uint8Array(buffer, byteOffset, byteLength), offset);
    offset += byteLength;
  }
  return file;
}
