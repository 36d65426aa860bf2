import { numbersIn } from '../../source/reading.ts';

/** True if a file is safetensors: a length that the file can have, and a brace, after white space as JSON may have. */
export const looksLikeSafetensors = (start: Uint8Array, size: number): boolean =>
  hasBrace(start) && numbersIn(start).getBigUint64(0, true) <= BigInt(size - 8);

/** True if an object of JSON may begin after the first eight bytes; of nothing but white space it is not known yet. */
export function hasBrace(start: Uint8Array): boolean {
  const first = start.subarray(8).find((byte) => ![0x20, 0x09, 0x0a, 0x0d].includes(byte));
  return start.length > 8 && (first === undefined || first === 0x7b);
}
