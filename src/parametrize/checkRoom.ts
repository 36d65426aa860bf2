import { refusal } from '../core/errors.ts';
import { hasRoom } from '../engine/hasRoom.ts';

/**
 * Throws where the backend in use could not hold so many more bytes at once, before anything is computed.
 *
 * The wasm backend of tfjs does not notice that its memory is full: it writes tensors that find no room to
 * the start of its memory. Every later result is wrong then.
 *
 * @param what - the purpose of the bytes, for the message
 * @param remedy - what needs fewer
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
