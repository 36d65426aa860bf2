import type { PlannedTensor } from '../../tensor/plannedTensor.ts';
import { headerFor } from './safetensorsHeader.ts';

/** Yields a safetensors file in pieces, the header first, so that only one tensor is in memory. */
export async function* safetensorsPieces(
  tensors: ReadonlyMap<string, PlannedTensor>,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const { header, order } = headerFor(tensors, metadata);
  yield header;
  for (const name of order) {
    const { data } = await tensors.get(name)!.read();
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}
