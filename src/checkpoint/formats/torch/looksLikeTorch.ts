import { startsWith } from '../format.ts';

/** True if a file begins like a zip archive or a pickle, as torch's files do. */
export const looksLikeTorch = (start: Uint8Array): boolean =>
  startsWith(start, [0x50, 0x4b, 3, 4]) || startsWith(start, [0x50, 0x4b, 5, 6]) || looksLikePickle(start);

/** True if a file is a pickle of protocol 2 or later. */
export const looksLikePickle = (start: Uint8Array): boolean => start[0] === 0x80 && start[1]! >= 2;
