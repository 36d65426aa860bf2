import { inflateSync } from 'fflate';
import { corrupt, quoted } from '../../checkpointError.ts';
import type { Budget } from '../../source/budget.ts';
import { part, type Reading } from '../../source/reading.ts';
import { crc32 } from './crc32.ts';
import { startOf, type ZipEntry } from './zipDirectory.ts';

/** A file in an archive that can be read in parts. */
export interface PackedFile {
  /** The number of bytes of the unpacked file. */
  readonly size: number;
  /** Reads a part. A stored entry is read in place. */
  read(offset: number, length: number): Reading<Uint8Array>;
}

/**
 * Returns an entry of an archive as a file. A compressed entry is unpacked once, when a part of it is read.
 *
 * @param size - the number of bytes of the archive
 * @param checksCrc - true to verify the checksum, which reads the whole entry
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
        // A stored entry is not held, because it can be read again in place.
        if (entry.isDeflated) whole = unpacked;
      }
      if (whole !== undefined) return whole.subarray(offset, offset + length);
      return yield* part(size, start + offset, length, () => quoted(entry.name));
    },
  };
}

function inflated(packed: Uint8Array, entry: ZipEntry, budget: Budget): Uint8Array {
  budget.chargeUnpacked(entry.size, () => `the entry ${quoted(entry.name)}`);
  // One more byte shows whether the entry has more data than it states. The library stops at the end of the array.
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
