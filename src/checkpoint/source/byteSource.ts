import { CheckpointError } from '../checkpointError.ts';
import { isNode, openNodeFile, pathOf } from './nodeFile.ts';
import { readAhead } from './readAhead.ts';
import { type ByteRange, plainBytes } from './reading.ts';
import { openUrl, received } from './urlSource.ts';

/**
 * The source of a checkpoint: bytes, a `Blob` or `File`, a `Response`, a URL, or a path of Node.js. A text is a path
 * in Node.js and a URL in browsers, unless it begins with `http:`, `https:` or `file:`.
 */
export type CheckpointSource = Uint8Array | ArrayBuffer | Blob | Response | URL | string;

/** The progress of the reading of a file. */
export interface Progress {
  /** The number of bytes that were read so far. */
  readonly loaded: number;
  /** The number of bytes in the file; undefined if a server does not send it. */
  readonly total: number | undefined;
}

/** Options of functions that open a file. */
export interface OpenOptions {
  /** Called when bytes have arrived. */
  readonly onProgress?: (progress: Progress) => void;
  /** The signal that ends the reading. Pending promises reject with its reason. */
  readonly signal?: AbortSignal;
}

/** A source that can be read in parts. */
export interface ByteSource {
  readonly size: number;
  read(range: ByteRange): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a source.
 *
 * @throws {@link CheckpointError} `UNREADABLE` if the source cannot be read, `OPTION` if it has another type
 */
export async function openSource(source: CheckpointSource, options: OpenOptions = {}): Promise<ByteSource> {
  const { onProgress, signal } = options;
  signal?.throwIfAborted();
  const [opened, isRead] = await openAny(source, options);
  let loaded = 0;
  return {
    size: opened.size,
    close: () => opened.close(),
    async read(range) {
      signal?.throwIfAborted();
      const bytes = await opened.read(range);
      if (bytes.length !== range.length) {
        throw new CheckpointError(
          'UNREADABLE',
          `${range.length} bytes were wanted and ${bytes.length} came`,
          'The file has changed, or the connection broke: try again.',
        );
      }
      signal?.throwIfAborted();
      loaded += bytes.length;
      if (!isRead) onProgress?.({ loaded, total: opened.size });
      return bytes;
    },
  };
}

/** The minimum number of bytes of a read of a file, which is as fast as a read of a few bytes. */
const ahead = 128 * 1024;

/** Opens a source. Also returns whether all of it has already arrived and was reported. */
async function openAny(source: CheckpointSource, options: OpenOptions): Promise<[ByteSource, boolean]> {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    return [inMemory(plainBytes(source)), false];
  }
  if (typeof Blob === 'function' && source instanceof Blob) return [readAhead(inBlob(source), ahead), false];
  if (typeof Response === 'function' && source instanceof Response) {
    return [inBlob(await received(source, options)), true];
  }
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new CheckpointError(
      'OPTION',
      'the source is none that can be read',
      'Pass bytes, a Blob, a Response, a URL or a path.',
    );
  }
  const path = pathOf(source);
  if (path !== null && isNode()) return [readAhead(await openNodeFile(path), ahead), false];
  const opened = await openUrl(source, options);
  return opened instanceof Blob ? [inBlob(opened), true] : [opened, false];
}

const inMemory = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: async ({ offset, length }) => bytes.subarray(offset, offset + length),
  close: async () => {},
});

const inBlob = (blob: Blob): ByteSource => ({
  size: blob.size,
  read: async ({ offset, length }) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  close: async () => {},
});
