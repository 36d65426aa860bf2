import { corrupt } from '../checkpointError.ts';

/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * A reading of a file that does not depend on its location. It yields the ranges that it needs and receives their
 * bytes. So the same parser works synchronously on a file in memory, and step by step on a disk or a server.
 */
export type Reading<T> = Generator<ByteRange, T, Uint8Array>;

/** Returns bytes as a plain `Uint8Array`, because slices of a `Buffer` of Node.js are views and not copies. */
export const plainBytes = (bytes: Uint8Array | ArrayBuffer): Uint8Array =>
  bytes instanceof Uint8Array
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);

/** Runs a reading on bytes in memory. It receives views of them. */
export function readNow<T>(reading: Reading<T>, bytes: Uint8Array): T {
  let step = reading.next();
  while (!step.done) {
    const { offset, length } = step.value;
    step = reading.next(bytes.subarray(offset, offset + length));
  }
  return step.value;
}

/** Runs a reading on a source that can read a part of a file. */
export async function readFrom<T>(
  reading: Reading<T>,
  read: (range: ByteRange) => Promise<Uint8Array>,
): Promise<T> {
  let step = reading.next();
  while (!step.done) step = reading.next(await read(step.value));
  return step.value;
}

/**
 * Reads one part of a file.
 *
 * @param size - the number of bytes of the file
 * @param what - the contents of the part; called only for the error
 * @throws {@link CheckpointError} `CORRUPT` if the file ends before the part
 */
export function* part(size: number, offset: number, length: number, what: () => string): Reading<Uint8Array> {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw corrupt(`${what()} would be bytes ${offset} to ${offset + length} of a file of ${size} bytes`);
  }
  return length === 0 ? nothing : yield { offset, length };
}

const nothing = new Uint8Array(0);

/** Returns a view for the numbers in bytes, which are little-endian in every supported format. */
export const numbersIn = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
