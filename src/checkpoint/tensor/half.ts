/** Decodes float16 bits: sign, five bits of exponent, ten bits of fraction. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, half) => numberOf(half));
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!;
  return values;
}

let table: Float32Array | undefined;

function numberOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  // A subnormal number, below 2⁻¹⁴, has no leading one.
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Decodes bfloat16 bits, which are the upper half of a float32. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const values = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = bits[i]! << 16;
  return new Float32Array(values.buffer);
}

/** Rounds numbers to the nearest float16 bits, ties to even. */
export function toFloat16(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, float16Of);
}

function float16Of(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  // Halfway between the largest number and the next one.
  if (size >= 65520) return sign | 0x7c00;
  let exponent = Math.max(Math.floor(Math.log2(size)), -14);
  // The logarithm is rounded, so the exponent may be too large.
  if (exponent > -14 && 2 ** exponent > size) exponent--;
  // The units of the last bit. The leading one and a carry of rounding add to the exponent.
  const units = nearestEven(size * 2 ** (10 - exponent));
  return sign | (((exponent + 14) << 10) + units);
}

function nearestEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** Rounds numbers to the nearest bfloat16 bits, ties to even. */
export function toBfloat16(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return Uint16Array.from(bits, (word) => {
    if ((word & 0x7fffffff) > 0x7f800000) return 0x7fc0;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}
