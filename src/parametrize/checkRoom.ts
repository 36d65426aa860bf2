import { refusal } from '../core/errors.ts';
import { hasRoom } from '../engine/hasRoom.ts';

/**
 * Throws, before anything is computed, if the backend in use cannot hold this many more bytes at once.
 *
 * The wasm backend of tfjs does not detect that its memory is full. It writes tensors without room to the start of its
 * memory, and every later result is wrong.
 *
 * @param what - the purpose of the bytes, for the message
 * @param remedy - a way that needs less memory
 * @throws {@link ParametrizeError} `OUT_OF_MEMORY`
 */
export function checkRoom(caller: string, bytes: number, what: string, remedy: string): void {
  if (hasRoom(bytes)) return;
  const size = Math.ceil(bytes / 2 ** 20);
  throw refusal(
    'OUT_OF_MEMORY',
    caller,
    `${what} takes about ${size} MiB at once, for which the memory of the backend has no room`,
    remedy,
  );
}
