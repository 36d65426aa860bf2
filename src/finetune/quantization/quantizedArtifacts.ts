import type { io } from '@tensorflow/tfjs-core';
import type { StoredTensor } from '../../checkpoint/tensor/storedTensor.ts';
import { sizeOf } from '../../core/shapes.ts';
import { type ReadGrid, schemeOf } from './currentGrids.ts';
import type { SavedTensor } from './quantizationReport.ts';
import { quantized } from './quantizedTensor.ts';
import { halved } from './readNumbers.ts';

/** A weight of a model of tf.layers, read from the device. */
export interface ReadWeight {
  readonly name: string;
  readonly stored: StoredTensor;
  readonly grid: ReadGrid | null;
}

/** The weights that get 16-bit floating-point numbers. */
export type Float16 = 'none' | 'severalScales' | 'all';

/** A weight as tfjs stores it. */
interface Encoded {
  readonly spec: io.WeightsManifestEntry;
  readonly bytes: Uint8Array;
  readonly saved: SavedTensor;
}

const types = { F32: 'float32', I32: 'int32', BOOL: 'bool' } as const;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Encodes a weight as `tf.io.decodeWeights` reads it. */
export function encodedWeight({ name, stored, grid }: ReadWeight, float16: Float16): Encoded {
  const { shape, data } = stored;
  const dtype = types[stored.dtype as keyof typeof types];
  const scheme = grid === null ? null : schemeOf(grid.map);
  const encoded = (
    kind: SavedTensor['dtype'],
    numbers: ArrayBufferView,
    quantization: object | null,
    isExact: boolean,
    reason: string | null,
  ): Encoded => ({
    spec: {
      name,
      shape: [...shape],
      dtype,
      ...(quantization && { quantization: { ...quantization, original_dtype: dtype } as never }),
    },
    bytes: bytesOf(numbers),
    saved: {
      name,
      shape,
      dtype: kind,
      scheme,
      isExact,
      bytesBefore: data.byteLength,
      bytes: numbers.byteLength,
      reason,
    },
  });
  let reason: string | null = null;
  if (grid !== null) {
    const integers = integersOf(stored, grid);
    if (typeof integers !== 'string') {
      const { numbers, scale, min } = integers;
      const kind = numbers.BYTES_PER_ELEMENT === 1 ? 'uint8' : 'uint16';
      return encoded(kind, numbers, { dtype: kind, scale, min }, true, null);
    }
    reason = integers;
  }
  const wantsHalf =
    float16 === 'all' || (float16 === 'severalScales' && grid !== null && grid.scale.length > 1);
  if (dtype !== 'float32' || !wantsHalf) return encoded(dtype, data, null, true, reason);
  const values = data as Float32Array;
  const halves = halved(values);
  if (halves === null) {
    return encoded(dtype, data, null, true, `${reason ?? 'it is not quantized'}, and float16 is too small`);
  }
  return encoded('float16', halves, { dtype: 'float16' }, false, reason);
}

/** Returns the integers of a weight from 0, with the scale and the number of 0; or the reason why it has none. */
function integersOf(
  { shape, data }: StoredTensor,
  { map, scale, zeroPoint }: ReadGrid,
): { numbers: Uint8Array | Uint16Array; scale: number; min: number } | string {
  if (scale.length > 1) return 'tfjs has one scale for a tensor';
  const [least, most] = map.range;
  const tensor = quantized({
    shape: [sizeOf(shape)],
    scalesAlong: [1],
    range: map.range,
    scale,
    zeroPoint,
    values: data as Float32Array,
  });
  if (tensor === null) return 'its value is not that of fakeQuantize';
  const fromZero = tensor.integers.map((q) => q - least);
  // The numbers are products of integers with a scale of 24 bits, so float64 has them exactly.
  return {
    numbers: most - least < 256 ? Uint8Array.from(fromZero) : Uint16Array.from(fromZero),
    scale: scale[0]!,
    min: scale[0]! * (least - zeroPoint[0]!),
  };
}

/** Returns one array with the bytes of several. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
