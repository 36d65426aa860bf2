import { corrupt, quoted } from '../../checkpoint/checkpointError.ts';
import { type DType, newElements } from '../../checkpoint/tensor/dtype.ts';
import type { StoredTensor } from '../../checkpoint/tensor/storedTensor.ts';
import { isCount, isRecord } from '../../core/guards.ts';
import { sizeOf } from '../../core/shapes.ts';
import { fitsNibble, packNibbles, unpackNibbles } from './packedNibbles.ts';
import type { SavedTensor } from './quantizationReport.ts';
import type { QuantizedTensor } from './quantizedTensor.ts';

/** The key in the metadata of a file whose text lists the quantized tensors. */
export const quantizedNoteKey = 'tfjs-parametrize.quantized';

/** What the metadata say about a quantized tensor. */
export interface QuantizedNote {
  readonly shape: readonly number[];
  readonly range: readonly [min: number, max: number];
}

/** The names in a file of the parts of a quantized tensor. */
export const partNames = (name: string) => ({
  integers: name,
  packed: `${name}_packed`,
  scale: `${name}_scale`,
  zeroPoint: `${name}_zero_point`,
});

type IntegerType = 'I8' | 'U8' | 'I16' | 'U16' | 'I32';

const names = { I8: 'int8', U8: 'uint8', I16: 'int16', U16: 'uint16', I32: 'int32' } as const;

/** Returns the smallest type that holds every integer of a range. */
function typeFor([min, max]: readonly [number, number]): IntegerType {
  if (min >= -128 && max <= 127) return 'I8';
  if (min >= 0 && max <= 255) return 'U8';
  if (min >= -32768 && max <= 32767) return 'I16';
  return min >= 0 ? 'U16' : 'I32';
}

function elements(dtype: DType, values: ArrayLike<number>): StoredTensor['data'] {
  const data = newElements(dtype, values.length) as Int32Array;
  data.set(values);
  return data;
}

/** Returns the parts of a quantized tensor for a file, and the type of its integers. */
export function storedParts(
  name: string,
  { shape, scalesAlong, range, integers, scale, zeroPoint }: QuantizedTensor,
): { parts: [string, StoredTensor][]; dtype: SavedTensor['dtype'] } {
  const part = partNames(name);
  const type = typeFor(range);
  const isPacked = fitsNibble(range);
  const last = shape.at(-1);
  // Bytes of whole rows keep the other axes.
  const packedShape =
    last !== undefined && last % 2 === 0
      ? [...shape.slice(0, -1), last / 2]
      : [Math.ceil(integers.length / 2)];
  const main: [string, StoredTensor] = isPacked
    ? [part.packed, { dtype: 'U8', shape: packedShape, data: packNibbles(integers) }]
    : [part.integers, { dtype: type, shape, data: elements(type, integers) }];
  const parts: [string, StoredTensor][] = [
    main,
    [part.scale, { dtype: 'F32', shape: scalesAlong, data: scale }],
  ];
  if (zeroPoint.some((zero) => zero !== 0)) {
    parts.push([part.zeroPoint, { dtype: type, shape: scalesAlong, data: elements(type, zeroPoint) }]);
  }
  return { parts, dtype: isPacked ? (range[0] < 0 ? 'int4' : 'uint4') : names[type] };
}

/**
 * Reads the list of the quantized tensors.
 *
 * @throws {@link CheckpointError} `CORRUPT`
 */
export function quantizedNotes(text: string): Map<string, QuantizedNote> {
  let notes: unknown;
  try {
    notes = JSON.parse(text);
  } catch {
    throw corrupt('the list of quantized tensors is not JSON');
  }
  if (!isRecord(notes)) throw corrupt('the list of quantized tensors is not an object');
  return new Map(
    Object.entries(notes).map(([name, note]) => {
      if (!isNote(note)) throw corrupt(`the shape or the range of ${quoted(name)} is not valid`);
      return [name, note];
    }),
  );
}

function isNote(note: unknown): note is QuantizedNote {
  if (!isRecord(note)) return false;
  const { shape, range } = note;
  if (!Array.isArray(shape) || !shape.every(isCount) || !Array.isArray(range)) return false;
  const [min, max] = range as unknown[];
  return (
    range.length === 2 &&
    Number.isInteger(min) &&
    Number.isInteger(max) &&
    (min as number) <= 0 &&
    (max as number) >= 0 &&
    (max as number) - (min as number) < 65536
  );
}

/**
 * Returns a quantized tensor from its parts in a file.
 *
 * @throws {@link CheckpointError} `CORRUPT` if a part is missing or contradicts another one
 */
export function fromParts(
  name: string,
  { shape, range }: QuantizedNote,
  partOf: (name: string) => StoredTensor | undefined,
): QuantizedTensor {
  const part = partNames(name);
  const wrong = (fact: string): never => {
    throw corrupt(`${fact} of ${quoted(name)}`);
  };
  const scale = partOf(part.scale) ?? wrong('the file has no scales');
  const divides =
    scale.shape.length === shape.length &&
    shape.every((size, axis) => {
      const count = scale.shape[axis]!;
      return size === 0 ? count <= 1 : count >= 1 && size % count === 0;
    });
  if (scale.dtype !== 'F32' || !divides) wrong('the scales do not have the type or the shape');
  const scales = scale.data as Float32Array;
  if (!scales.every((one) => one > 0 && Number.isFinite(one))) wrong('a scale is not a positive number, one');
  const [min, max] = range;
  const checked = (integers: Int32Array): Int32Array =>
    integers.every((q) => q >= min && q <= max) ? integers : wrong('an integer is not in the range');
  const type = typeFor(range);
  const isPacked = fitsNibble(range);
  const main = partOf(isPacked ? part.packed : part.integers) ?? wrong('the file has no integers');
  const size = sizeOf(shape);
  const hasShape = isPacked
    ? main.data.length === Math.ceil(size / 2)
    : main.shape.length === shape.length && main.shape.every((one, axis) => one === shape[axis]);
  if (main.dtype !== (isPacked ? 'U8' : type) || !hasShape) {
    wrong('the integers do not have the type or the shape');
  }
  const point = partOf(part.zeroPoint);
  if (point !== undefined && (point.dtype !== type || String(point.shape) !== String(scale.shape))) {
    wrong('the zero points do not have the type or the shape');
  }
  return {
    shape,
    range,
    scalesAlong: scale.shape,
    scale: scales,
    integers: checked(
      isPacked
        ? unpackNibbles(main.data as Uint8Array, size, min < 0)
        : Int32Array.from(main.data as Int32Array),
    ),
    zeroPoint:
      point === undefined
        ? new Int32Array(scales.length)
        : checked(Int32Array.from(point.data as Int32Array)),
  };
}
