import { numbersIn } from '../../source/reading.ts';

/** True if a file begins like safetensors: a possible length of the header, optional white space, and a brace. */
export const looksLikeSafetensors = (start: Uint8Array, size: number): boolean =>
  hasBrace(start) && numbersIn(start).getBigUint64(0, true) <= BigInt(size - 8);

/** True if a JSON object may begin after the first eight bytes. This includes bytes with nothing but white space. */
export function hasBrace(start: Uint8Array): boolean {
  const first = start.subarray(8).find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  return start.length > 8 && (first === undefined || first === 0x7b);
}
