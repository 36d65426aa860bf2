import { corrupt } from '../../checkpointError.ts';
import { numbersIn } from '../../source/reading.ts';

/** Thrown if a pickle continues after the bytes that were read so far. */
export class MoreBytesNeeded extends Error {}

/** The bytes of a pickle from a position on. */
export class PickleBytes {
  position: number;
  private readonly bytes: Uint8Array;
  private readonly numbers: DataView;
  private readonly isWhole: boolean;

  /** @param isWhole - true if the file ends with the bytes */
  constructor(bytes: Uint8Array, position: number, isWhole: boolean) {
    this.bytes = bytes;
    this.numbers = numbersIn(bytes);
    this.position = position;
    this.isWhole = isWhole;
  }

  /** Skips some bytes. Returns their offset. */
  private skip(length: number): number {
    const start = this.position;
    if (!(start + length <= this.bytes.length)) throw this.end(length);
    this.position += length;
    return start;
  }

  private end(length: number): Error {
    return this.isWhole
      ? corrupt(`the pickle ends at ${this.bytes.length}, where ${length} bytes more were announced`)
      : new MoreBytesNeeded();
  }

  /** Throws unless this many bytes follow. */
  expect(length: number): void {
    this.position = this.skip(length);
  }

  uint8(): number {
    return this.bytes[this.skip(1)]!;
  }

  uint16(): number {
    return this.numbers.getUint16(this.skip(2), true);
  }

  uint32(): number {
    return this.numbers.getUint32(this.skip(4), true);
  }

  int32(): number {
    return this.numbers.getInt32(this.skip(4), true);
  }

  /** Reads an eight-byte length. A length above 2⁵³ is not exact, but larger than any file. */
  uint64(): number {
    return Number(this.numbers.getBigUint64(this.skip(8), true));
  }

  /** Reads a float64, the only big-endian number. */
  float64(): number {
    return this.numbers.getFloat64(this.skip(8), false);
  }

  /** Returns a view of the next bytes. */
  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.take(length));
    } catch (error) {
      throw error instanceof TypeError ? corrupt('a text in the pickle is not UTF-8') : error;
    }
  }

  /** Reads the text up to the end of the line. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    if (end < 0) throw this.end(1);
    const text = this.text(end - this.position);
    this.position++;
    return text;
  }
}
