import { CheckpointError, quoted } from '../checkpointError.ts';
import type { ByteSource, OpenOptions } from './byteSource.ts';
import { readAhead } from './readAhead.ts';
import type { ByteRange } from './reading.ts';

/** The minimum number of bytes of a request, because small parts are not requested one by one. */
const leastRequest = 256 * 1024;

/**
 * Opens a URL. If the server supports ranges, the source requests parts. Otherwise everything is downloaded; browsers
 * keep a large blob on disk.
 */
export async function openUrl(url: string | URL, options: OpenOptions): Promise<ByteSource | Blob> {
  const first = await request(url, { offset: 0, length: leastRequest }, options);
  const range = rangeOf(first);
  if (range === null) {
    const isAll = first.status === 200;
    if (!isAll) await first.body?.cancel();
    return received(isAll ? first : await request(url, undefined, options), options);
  }
  const start = new Uint8Array(await arriving(url, options.signal, () => first.arrayBuffer()));
  const parts = ranged(url, options, { total: range.total, tag: first.headers.get('ETag') });
  return readAhead(parts, leastRequest, start);
}

async function request(url: string | URL, range: ByteRange | undefined, { signal }: OpenOptions) {
  const headers: Record<string, string> =
    range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
  return arriving(url, signal, () => fetch(url, { headers, ...(signal && { signal }) }));
}

/** Runs a network operation and turns its errors into `UNREADABLE`. */
async function arriving<T>(
  url: string | URL,
  signal: AbortSignal | undefined,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw unreadable(url, reasonOf(error), error);
  }
}

/** Returns the reason of a network error. Node.js has it in the cause; browsers do not tell it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== ''
    ? `${error.message} (${cause.message})`
    : error.message;
}

const unreadable = (url: string | URL, reason: string, cause?: unknown): CheckpointError =>
  new CheckpointError(
    'UNREADABLE',
    `${quoted(String(url))} cannot be read: ${reason}`,
    'Check the address.',
    {
      cause,
    },
  );

/**
 * Returns the offset of a partial response and the size of the file. Returns null if the response is not partial, or
 * hides the range, as other origins do.
 */
function rangeOf(response: Response): { offset: number; total: number } | null {
  // The range of a compressed response counts compressed bytes.
  if (response.status !== 206 || response.headers.has('Content-Encoding')) return null;
  const match = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '');
  return match === null ? null : { offset: Number(match[1]), total: Number(match[2]) };
}

interface Known {
  readonly total: number;
  readonly tag: string | null;
}

function ranged(url: string | URL, options: OpenOptions, { total, tag }: Known): ByteSource {
  return {
    size: total,
    close: async () => {},
    async read({ offset, length }) {
      const response = await request(url, { offset, length }, options);
      const found = rangeOf(response);
      if (found?.offset !== offset || found.total !== total || response.headers.get('ETag') !== tag) {
        await response.body?.cancel();
        throw unreadable(url, 'it has changed since it was opened');
      }
      return new Uint8Array(await arriving(url, options.signal, () => response.arrayBuffer()));
    },
  };
}

/** Downloads the body of a response. */
export async function received(response: Response, { onProgress, signal }: OpenOptions): Promise<Blob> {
  if (!response.ok) {
    await response.body?.cancel();
    throw unreadable(response.url, `the server answered ${response.status} ${response.statusText}`.trim());
  }
  const header = response.headers.get('Content-Length');
  const total = header === null || response.headers.has('Content-Encoding') ? undefined : Number(header);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  const reader = await arriving(response.url, signal, async () => response.body?.getReader());
  // The signal must also end a stalled download, because the request may have been made without it.
  const cancel = (): void => void reader?.cancel().catch(() => {});
  signal?.addEventListener('abort', cancel);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const step = await arriving(response.url, signal, async () => reader?.read());
      if (step === undefined || step.done) break;
      chunks.push(step.value);
      loaded += step.value.length;
      onProgress?.({ loaded, total });
    }
    signal?.throwIfAborted();
  } catch (error) {
    cancel();
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
  return new Blob(chunks);
}
