import type { DType } from './dtype.ts';

/** An encoding of numbers in eight bits: sign, exponent, fraction, and the bits for NaN. */
interface Float8 {
  readonly fractionBits: number;
  /** The bias of the exponent. */
  readonly bias: number;
  /** True if the largest exponent encodes infinity and NaN, as in IEEE 754. */
  readonly hasInfinity: boolean;
  /** The bits of NaN, if the exponent does not encode it. */
  readonly nan: readonly number[];
}

const formats = {
  F8_E4M3: { fractionBits: 3, bias: 7, hasInfinity: false, nan: [0x7f, 0xff] },
  F8_E5M2: { fractionBits: 2, bias: 15, hasInfinity: true, nan: [] },
  F8_E4M3FNUZ: { fractionBits: 3, bias: 8, hasInfinity: false, nan: [0x80] },
  F8_E5M2FNUZ: { fractionBits: 2, bias: 16, hasInfinity: false, nan: [0x80] },
} as const satisfies Record<string, Float8>;

/** The types of eight bits. */
export type Float8Type = keyof typeof formats | 'F8_E8M0';

/** True for types of eight-bit floating-point numbers. */
export const isFloat8 = (dtype: DType): dtype is Float8Type =>
  dtype === 'F8_E8M0' || Object.hasOwn(formats, dtype);

/** Decodes the bits exactly. */
export function float8ToFloat32(bits: Uint8Array, dtype: Float8Type): Float32Array {
  let table = tables.get(dtype);
  if (table === undefined) {
    table = Float32Array.from({ length: 256 }, (_, byte) => numberOf(byte, dtype));
    tables.set(dtype, table);
  }
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!;
  return values;
}

const tables = new Map<Float8Type, Float32Array>();

function numberOf(byte: number, dtype: Float8Type): number {
  // The scale of a block, which is a power of two.
  if (dtype === 'F8_E8M0') return byte === 0xff ? Number.NaN : 2 ** (byte - 127);
  const { fractionBits, bias, hasInfinity, nan }: Float8 = formats[dtype];
  if (nan.includes(byte)) return Number.NaN;
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte & 0x7f) >> fractionBits;
  const fraction = (byte & ((1 << fractionBits) - 1)) / (1 << fractionBits);
  if (hasInfinity && exponent === 0x7f >> fractionBits) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  // A subnormal number, which has no leading one.
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}
