import { CheckpointError, printable, quoted } from '../checkpointError.ts';

/** A typed array that holds the elements of a stored tensor. */
export type ElementArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

interface ElementArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): ElementArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): ElementArray;
}

// The arrays by the names in safetensors. Floating-point numbers below 32 bits are stored as bits.
const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  F8_E4M3FNUZ: Uint8Array,
  F8_E5M2FNUZ: Uint8Array,
  F8_E8M0: Uint8Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<string, ElementArrayConstructor>;

/** The element types that can be read, by their names in safetensors. */
export type DType = keyof typeof arrays;

/** Further types in files, which can be listed but not read. The number is bits per element. */
const unreadable = new Map([
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['C32', 32],
  ['C64', 64],
  ['C128', 128],
]);

/** True for types that can be read. */
const isDType = (dtype: string): dtype is DType => Object.hasOwn(arrays, dtype);

/** Returns the bits per element, or undefined for an unknown type. */
export const elementBits = (dtype: string): number | undefined =>
  isDType(dtype) ? 8 * arrays[dtype].BYTES_PER_ELEMENT : unreadable.get(dtype);

/** Returns the bytes per element, or undefined for an unknown type or one without whole bytes. */
export function elementSize(dtype: string): number | undefined {
  const bits = elementBits(dtype);
  return bits === undefined || bits % 8 !== 0 ? undefined : bits / 8;
}

/** Makes an array for elements of a type. */
export const newElements = (dtype: DType, length: number): ElementArray => new arrays[dtype](length);

/**
 * Returns bytes as elements: a view if the offset is aligned, else a copy. Files and all platforms of JavaScript are
 * little-endian.
 */
export function elementsIn(bytes: Uint8Array, dtype: DType): ElementArray {
  const type: ElementArrayConstructor = arrays[dtype];
  const aligned = bytes.byteOffset % type.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, bytes.byteLength / type.BYTES_PER_ELEMENT);
}

/**
 * Refuses types that tfjs cannot hold.
 *
 * @param name - the tensor
 * @throws {@link CheckpointError} `DTYPE`
 */
export function checkDType(dtype: string, name: string): asserts dtype is DType {
  if (isDType(dtype)) return;
  throw new CheckpointError(
    'DTYPE',
    `the tensor ${quoted(name)} has the type ${printable(dtype.slice(0, 40))}, which tfjs cannot hold; it can be one of ${Object.keys(arrays).join(', ')}`,
    'Convert it in Python, or read the others one by one.',
  );
}
