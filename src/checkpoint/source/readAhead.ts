import type { ByteSource } from './byteSource.ts';
import type { ByteRange } from './reading.ts';

/** The bytes of a source from an offset on. */
interface Window {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Wraps a source so that a small read fetches more, and later small reads need no request. A returned part is a copy,
 * so it does not keep the rest in memory.
 *
 * @param least - the minimum number of bytes of a request
 * @param start - the known first bytes of the source
 */
export function readAhead(source: ByteSource, least: number, start?: Uint8Array): ByteSource {
  let window: Window = { offset: 0, bytes: start ?? nothing };
  const covers = ({ offset, length }: ByteRange): boolean =>
    offset >= window.offset && offset + length <= window.offset + window.bytes.length;
  const partOf = ({ offset, length }: ByteRange): Uint8Array =>
    window.bytes.slice(offset - window.offset, offset - window.offset + length);
  return {
    size: source.size,
    async close() {
      window = { offset: 0, bytes: nothing };
      await source.close();
    },
    async read(range) {
      if (covers(range)) return partOf(range);
      if (range.length >= least) return source.read(range);
      // Near the end, bytes before the part are read, too. A small file is read as a whole.
      const offset = Math.min(range.offset, Math.max(source.size - least, 0));
      const length = Math.min(least, source.size - offset);
      window = { offset, bytes: await source.read({ offset, length }) };
      return partOf(range);
    },
  };
}

const nothing = new Uint8Array(0);
