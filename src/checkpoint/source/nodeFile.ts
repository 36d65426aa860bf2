import { CheckpointError, quoted } from '../checkpointError.ts';
import type { ByteSource } from './byteSource.ts';

// The used parts of Node.js. Its own types would add globals to the programs of users.
interface FileHandle {
  stat(): Promise<{ readonly size: number; isFile(): boolean }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  write(bytes: Uint8Array): Promise<{ bytesWritten: number }>;
  close(): Promise<void>;
}
interface FileSystem {
  open(path: string | URL, flags: string): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  mkdir(path: string | URL, options: { recursive: boolean }): Promise<unknown>;
  rm(path: string, options: { force: boolean }): Promise<void>;
}
interface Utilities {
  getSystemErrorMap(): ReadonlyMap<number, readonly [code: string, text: string]>;
}
interface NodeGlobals {
  readonly process?: { readonly versions?: { readonly node?: string }; readonly pid?: number };
  readonly Buffer?: { allocUnsafeSlow(length: number): Uint8Array };
}
const node = globalThis as NodeGlobals;

/** True in Node.js, where files can be opened by path. */
export const isNode = (): boolean => node.process?.versions?.node !== undefined;

/** Returns the path of a path or a `file:` URL, or null for other URLs. */
export function pathOf(source: string | URL): string | URL | null {
  if (source instanceof URL) return source.protocol === 'file:' ? source : null;
  if (/^file:/i.test(source)) return new URL(source);
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(source) ? null : source;
}

// The name is in a variable, so bundlers for browsers do not resolve the module.
const system = async <T>(name: string): Promise<T> =>
  (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as T;

const fileSystem = (): Promise<FileSystem> => system('node:fs/promises');

/** The maximum bytes of one read. Linux reads at most 2 GiB at a time. */
const most = 1 << 30;

/** Opens a file for reading at any offset. */
export async function openNodeFile(path: string | URL): Promise<ByteSource> {
  const { open } = await fileSystem();
  const handle = await unreadable(() => open(path, 'r'));
  const status = await handle.stat();
  if (!status.isFile()) {
    await handle.close();
    throw new CheckpointError('UNREADABLE', `${quoted(String(path))} is not a file`, 'Pass the file itself.');
  }
  return {
    size: status.size,
    close: () => handle.close(),
    read: ({ offset, length }) =>
      unreadable(async () => {
        // The memory is not zeroed, because that would cost as much as the read.
        const bytes = node.Buffer!.allocUnsafeSlow(length);
        let done = 0;
        while (done < length) {
          const wanted = Math.min(length - done, most);
          const { bytesRead } = await handle.read(bytes, done, wanted, offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return new Uint8Array(bytes.buffer, 0, done);
      }),
  };
}

/** Runs a file operation and turns its errors into `UNREADABLE`. */
async function unreadable<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError('UNREADABLE', `${reason}`, 'Check the path and the permissions.', {
      cause: error,
    });
  }
}

/** Makes a folder, and those that it is in. */
export async function makeNodeFolder(path: string | URL): Promise<void> {
  const { mkdir } = await fileSystem();
  await unwritable(String(path), () => mkdir(path, { recursive: true }));
}

/** Writes a file in pieces, first to a temporary file beside it, so that a failure leaves the old file. */
export async function writeNodeFile(
  path: string | URL,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const { open, rename, rm } = await fileSystem();
  const target = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  const temporary = `${target}.${node.process?.pid}.tmp`;
  const handle = await unwritable(target, () => open(temporary, 'wx'));
  try {
    try {
      for await (const piece of pieces) await unwritable(target, () => writeAll(handle, piece));
    } finally {
      await handle.close();
    }
    await unwritable(target, () => rename(temporary, target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Runs a write operation and turns its errors into `UNREADABLE`. Errors of the pieces pass unchanged. */
async function unwritable<T>(target: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new CheckpointError(
      'UNREADABLE',
      `${quoted(target)} cannot be written: ${await reasonOf(error)}`,
      'Check the path, the permissions and the space on the disk.',
      { cause: error },
    );
  }
}

/** Returns the reason of a system error, without the call and the path of the temporary file. */
async function reasonOf(error: unknown): Promise<string> {
  const { errno, code } = error as { readonly errno?: number; readonly code?: string };
  const { getSystemErrorMap } = await system<Utilities>('node:util');
  const [, text] = getSystemErrorMap().get(errno ?? 0) ?? [];
  return text === undefined ? String(error) : `${code}: ${text}`;
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    done += (await handle.write(piece.subarray(done, done + most))).bytesWritten;
  }
}
