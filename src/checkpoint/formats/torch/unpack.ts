import { inflateSync } from 'fflate';
import { corrupt, quoted } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import { part, type Reading } from '../../source/reading.ts';
import { crc32 } from './crc32.ts';
import { startOf, type ZipEntry } from './zipDirectory.ts';

/** A file in an archive, of which parts can be read. */
export interface PackedFile {
  /** Bytes of the unpacked file. */
  readonly size: number;
  /** Reads a part: in place where the entry is stored as it is. */
  read(offset: number, length: number): Reading<Uint8Array>;
}

/**
 * An entry of an archive as a file. What is compressed is unpacked once, when a part of it is wanted.
 *
 * @param size - bytes in the archive
 * @param checksCrc - whether the checksum is verified, for which all of the entry is read
 */
export function packedFile(size: number, entry: ZipEntry, budget: Budget, checksCrc: boolean): PackedFile {
  let start: number | undefined;
  let whole: Uint8Array | undefined;
  return {
    size: entry.size,
    *read(offset, length) {
      start ??= yield* startOf(size, entry);
      if (whole === undefined && (checksCrc || entry.isDeflated)) {
        const packed = yield* part(size, start, entry.packedSize, () => quoted(entry.name));
        const unpacked = entry.isDeflated ? inflated(packed, entry, budget) : packed;
        if (checksCrc && crc32(unpacked) !== entry.crc) {
          throw corrupt(`the checksum of the entry ${quoted(entry.name)} is wrong`);
        }
        // A stored entry is read again in place, rather than held.
        if (entry.isDeflated) whole = unpacked;
      }
      if (whole !== undefined) return whole.subarray(offset, offset + length);
      return yield* part(size, start + offset, length, () => quoted(entry.name));
    },
  };
}

function inflated(packed: Uint8Array, entry: ZipEntry, budget: Budget): Uint8Array {
  budget.chargeUnpacked(entry.size, () => `the entry ${quoted(entry.name)}`);
  // One byte more, to see whether there is more than the entry states: the library stops at the end of the array.
  const out = new Uint8Array(entry.size + 1);
  let bytes: Uint8Array;
  try {
    bytes = inflateSync(packed, { out });
  } catch {
    throw corrupt(`the entry ${quoted(entry.name)} cannot be decompressed`);
  }
  if (bytes.length !== entry.size) {
    throw corrupt(`the entry ${quoted(entry.name)} does not have the ${entry.size} bytes that it states`);
  }
  return bytes;
}
