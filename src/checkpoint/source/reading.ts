import { corrupt } from '../checkpointError.ts';

/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads a file without knowing where it is: yields the parts that it needs and is handed their bytes. The same parser
 * thus serves a file in memory, at once, and one on a disk or a server, step by step.
 */
export type Reading<T> = Generator<ByteRange, T, Uint8Array>;

/** Bytes as an array of no subclass: the slices of a `Buffer` of Node.js are views, not copies. */
export const plainBytes = (bytes: Uint8Array | ArrayBuffer): Uint8Array =>
  bytes instanceof Uint8Array
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);

/** Runs a reading on bytes in memory; what it is handed are views of them. */
export function readNow<T>(reading: Reading<T>, bytes: Uint8Array): T {
  let step = reading.next();
  while (!step.done) {
    const { offset, length } = step.value;
    step = reading.next(bytes.subarray(offset, offset + length));
  }
  return step.value;
}

/** Runs a reading on whatever can read a part of a file. */
export async function readFrom<T>(
  reading: Reading<T>,
  read: (range: ByteRange) => Promise<Uint8Array>,
): Promise<T> {
  let step = reading.next();
  while (!step.done) step = reading.next(await read(step.value));
  return step.value;
}

/**
 * One part of a file.
 *
 * @param size - bytes in the file
 * @param what - what is there; called for the error only
 * @throws {@link CheckpointError} `CORRUPT` if the file ends before
 */
export function* part(size: number, offset: number, length: number, what: () => string): Reading<Uint8Array> {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw corrupt(`${what()} would be bytes ${offset} to ${offset + length} of a file of ${size} bytes`);
  }
  return length === 0 ? nothing : yield { offset, length };
}

const nothing = new Uint8Array(0);

/** A view of bytes for the numbers in them, which are little-endian in every format here. */
export const numbersIn = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
