/** True if four bits hold every integer of a range. */
export const fitsNibble = ([min, max]: readonly [number, number]): boolean =>
  (min >= -8 && max <= 7) || (min >= 0 && max <= 15);

/** Packs integers of four bits, two to a byte: that of the even index is in the low half. */
export function packNibbles(integers: Int32Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(integers.length / 2));
  for (let i = 0; i < integers.length; i++) bytes[i >> 1]! |= (integers[i]! & 15) << (4 * (i & 1));
  return bytes;
}

/**
 * The inverse of {@link packNibbles}.
 *
 * @param isSigned - true if the integers are those from −8 to 7, else those from 0 to 15
 */
export function unpackNibbles(bytes: Uint8Array, length: number, isSigned: boolean): Int32Array {
  const integers = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const nibble = (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
    integers[i] = isSigned && nibble > 7 ? nibble - 16 : nibble;
  }
  return integers;
}
