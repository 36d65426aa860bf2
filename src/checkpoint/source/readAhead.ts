import type { ByteSource } from './byteSource.ts';
import type { ByteRange } from './reading.ts';

/** Bytes of a source, from some place on. */
interface Window {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * A source that is asked for more than is wanted, where that is little: the small parts around it are there already. A
 * part that is handed out is a copy, so that it does not keep the rest in memory.
 *
 * @param least - bytes to ask for at least
 * @param start - what is known of the source
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
      // Near the end also what stands before it: of a small file all.
      const offset = Math.min(range.offset, Math.max(source.size - least, 0));
      const length = Math.min(least, source.size - offset);
      window = { offset, bytes: await source.read({ offset, length }) };
      return partOf(range);
    },
  };
}

const nothing = new Uint8Array(0);
