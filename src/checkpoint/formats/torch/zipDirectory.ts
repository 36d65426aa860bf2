import { CheckpointError, corrupt, quoted } from '../../checkpointError.ts';
import { numbersIn, part, type Reading } from '../../source/reading.ts';

/** One file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** The number of bytes in the archive. */
  readonly packedSize: number;
  /** The number of unpacked bytes. */
  readonly size: number;
  readonly isDeflated: boolean;
  readonly crc: number;
  /** The offset of its local header. */
  readonly offset: number;
  /** The offset of the next entry, or of the directory. */
  readonly end: number;
}

const signatures = {
  local: 0x04034b50,
  entry: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const sizes = { local: 30, entry: 46, end: 22, end64: 56, locator64: 20, longestComment: 0xffff };

/**
 * Reads and checks the directory of a zip archive. Returns the entries by name, in the order of the archive.
 *
 * A library unpacks the entries, but libraries trust the headers, and the headers of a hostile file lie. So this file
 * checks sizes, offsets and counts against the file, and refuses overlapping entries and repeated names. Libraries read
 * these archives in test/checkpoint/files/badfiles, which must be refused:
 *
 * - fflate 0.8.3: eight, with duplicate, overlapping, encrypted and displaced entries and false sizes
 * - yauzl 3.4.0 (Node.js only) and unzipit 2.1.1: two, with duplicate and overlapping entries
 * - zip.js 2.24.0: two, with duplicate entries and a displaced directory; with `strictness: 'strict'` none, but also no
 *   file that torch writes. It has 72 kB (gzip), and can neither read synchronously nor read a part of an entry
 *
 * @throws {@link CheckpointError} `CORRUPT`, `UNSUPPORTED`
 */
export function* readZipDirectory(size: number): Reading<ReadonlyMap<string, ZipEntry>> {
  const { count, offset, end } = yield* findDirectory(size);
  const directory = yield* part(size, offset, end - offset, () => 'the directory of the archive');
  const numbers = numbersIn(directory);
  const entries: Omit<ZipEntry, 'end'>[] = [];
  let position = 0;
  for (let i = 0; i < count; i++) {
    const at = position;
    if (at + sizes.entry > directory.length || numbers.getUint32(at, true) !== signatures.entry) {
      throw corrupt(`the archive states ${count} entries and its directory has ${i}`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      numbers.getUint16(at + field, true),
    ) as [number, number, number];
    position = at + sizes.entry + nameLength + extraLength + commentLength;
    if (position > directory.length) throw corrupt('an entry of the archive is cut off');
    const nameEnd = at + sizes.entry + nameLength;
    entries.push(
      entryOf(
        nameIn(directory.subarray(at + sizes.entry, nameEnd)),
        new DataView(directory.buffer, directory.byteOffset + at, sizes.entry),
        directory.subarray(nameEnd, nameEnd + extraLength),
      ),
    );
  }
  if (position !== directory.length) throw corrupt('the directory of the archive has more than its entries');
  return placed(entries, offset);
}

/** Finds the directory. Its end record is at the end of the file, before an optional comment or appended data. */
function* findDirectory(size: number): Reading<{ count: number; offset: number; end: number }> {
  const length = Math.min(size, sizes.end + sizes.longestComment);
  const start = size - length;
  const tail = yield* part(size, start, length, () => 'the end of the archive');
  const numbers = numbersIn(tail);
  let at = length - sizes.end;
  while (at >= 0 && numbers.getUint32(at, true) !== signatures.end) at--;
  if (at < 0) throw corrupt('the archive has no directory: its end is missing');
  let found = {
    count: numbers.getUint16(at + 10, true),
    size: numbers.getUint32(at + 12, true),
    offset: numbers.getUint32(at + 16, true),
  };
  let end = start + at;
  if (end >= sizes.locator64) {
    const locator = numbersIn(
      yield* part(size, end - sizes.locator64, sizes.locator64, () => 'the end of the archive'),
    );
    if (locator.getUint32(0, true) === signatures.locator64) {
      end = big(locator, 8);
      const end64 = numbersIn(yield* part(size, end, sizes.end64, () => 'the end of the archive'));
      if (end64.getUint32(0, true) !== signatures.end64)
        throw corrupt('the end of the archive is not where it says');
      found = { count: big(end64, 32), size: big(end64, 40), offset: big(end64, 48) };
    }
  }
  if (found.offset + found.size !== end) {
    throw corrupt(
      `the directory of the archive would be bytes ${found.offset} to ${found.offset + found.size}, and its end is at ${end}`,
    );
  }
  return { count: found.count, offset: found.offset, end };
}

/** Reads an eight-byte number. A number above 2⁵³ is not exact, but larger than any file. */
const big = (numbers: DataView, at: number): number => Number(numbers.getBigUint64(at, true));

function nameIn(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw corrupt('the name of an entry is not UTF-8');
  }
}

function entryOf(name: string, numbers: DataView, extra: Uint8Array): Omit<ZipEntry, 'end'> {
  const flags = numbers.getUint16(8, true);
  const method = numbers.getUint16(10, true);
  const stated = [24, 20, 42].map((field) => numbers.getUint32(field, true));
  const [size, packedSize, offset] = wide(stated, extra, name) as [number, number, number];
  // Bit 0: encrypted. Bits 5 and 6: patched, strongly encrypted.
  if ((flags & 0b1100001) !== 0) {
    throw new CheckpointError(
      'UNSUPPORTED',
      `the entry ${quoted(name)} is encrypted`,
      'Unpack and save it plain.',
    );
  }
  if (method !== 0 && method !== 8) {
    throw new CheckpointError(
      'UNSUPPORTED',
      `the entry ${quoted(name)} is compressed by method ${method}; only 0 (stored) and 8 (deflate) can be read`,
      'Save it again with torch.save.',
    );
  }
  if (method === 0 && size !== packedSize) {
    throw corrupt(`the entry ${quoted(name)} is stored with ${packedSize} bytes and states ${size}`);
  }
  // Deflate expands one byte to at most 1032.
  if (size > packedSize * 1032) {
    throw corrupt(`the entry ${quoted(name)} states ${size} bytes, ${packedSize} cannot hold as many`);
  }
  return { name, size, packedSize, offset, isDeflated: method === 8, crc: numbers.getUint32(16, true) };
}

/** Reads numbers that do not fit four bytes from an extra field of kind 1, in order. */
function wide(stated: readonly number[], extra: Uint8Array, name: string): number[] {
  if (!stated.includes(0xffffffff)) return [...stated];
  const numbers = numbersIn(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + numbers.getUint16(at + 2, true)) {
    if (numbers.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    const end = Math.min(next + numbers.getUint16(at + 2, true), extra.length);
    return stated.map((value) => {
      if (value !== 0xffffffff) return value;
      if (next + 8 > end) throw corrupt(`the entry ${quoted(name)} lacks its sizes`);
      next += 8;
      return big(numbers, next - 8);
    });
  }
  return [...stated];
}

function placed(entries: readonly Omit<ZipEntry, 'end'>[], directory: number): Map<string, ZipEntry> {
  const sorted = [...entries].sort((a, b) => a.offset - b.offset);
  const found = new Map<string, ZipEntry>();
  for (const [i, entry] of sorted.entries()) {
    const end = sorted[i + 1]?.offset ?? directory;
    if (found.has(entry.name)) throw corrupt(`the archive has two entries ${quoted(entry.name)}`);
    if (entry.offset + sizes.local + entry.packedSize > end) {
      throw corrupt(`the entry ${quoted(entry.name)} reaches into what follows it`);
    }
    found.set(entry.name, { ...entry, end });
  }
  return found;
}

/**
 * Returns the offset of the bytes of an entry, from its local header.
 *
 * @throws {@link CheckpointError} `CORRUPT` if the header differs from the directory
 */
export function* startOf(size: number, entry: ZipEntry): Reading<number> {
  const name = quoted(entry.name);
  const header = numbersIn(yield* part(size, entry.offset, sizes.local, () => `the header of ${name}`));
  if (header.getUint32(0, true) !== signatures.local) throw corrupt(`the entry ${name} has no header`);
  const nameLength = header.getUint16(26, true);
  const start = entry.offset + sizes.local + nameLength + header.getUint16(28, true);
  if (start + entry.packedSize > entry.end) throw corrupt(`the entry ${name} reaches into what follows it`);
  const own = yield* part(size, entry.offset + sizes.local, nameLength, () => `the name of ${name}`);
  if (nameIn(own) !== entry.name) throw corrupt(`the entry ${name} has another name in its header`);
  return start;
}
