import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hasRoom } from '../../src/engine/hasRoom.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';

const MiB = 2 ** 20;
const end = 4096 * MiB;
const backend = process.env['TFJS_BACKEND'] ?? 'cpu';

interface Wasm {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
}
const wasm = (): Wasm => (tf.backend() as unknown as { wasm: Wasm }).wasm;

describe.runIf(backend === 'wasm')('the room of the wasm backend', () => {
  const state = tf.engine().state as { numBytes: number };
  let added = 0;
  afterEach(() => {
    vi.restoreAllMocks();
    Reflect.deleteProperty(wasm().HEAPU8, 'length');
    state.numBytes -= added;
    added = 0;
  });

  /** As if the memory had grown to its end, with tensors of so many bytes. */
  function fillTo(bytes: number): void {
    added += bytes - state.numBytes;
    state.numBytes = bytes;
    Object.defineProperty(wasm().HEAPU8, 'length', { value: end - MiB / 16, configurable: true });
  }

  it('is asked of malloc where the memory can still grow by as much', () => {
    expect(hasRoom(MiB)).toBe(true);
    vi.spyOn(wasm(), '_malloc').mockReturnValue(0);
    expect(hasRoom(MiB)).toBe(false);
    expect(hasRoom(0)).toBe(true);
  });

  // malloc would give a block that goes on at address 0, and write there.
  it('is that beside the tensors where the memory is at its end, and malloc is not asked', () => {
    hasRoom(0);
    const malloc = vi.spyOn(wasm(), '_malloc');
    fillTo(end - 200 * MiB);
    expect([hasRoom(100 * MiB), hasRoom(200 * MiB), hasRoom(5 * end)]).toEqual([true, false, false]);
    fillTo(1000 * MiB);
    expect([hasRoom(2900 * MiB), hasRoom(3100 * MiB)]).toEqual([true, false]);
    expect(malloc).not.toHaveBeenCalled();
  });

  it('is none for more than there are addresses, and asking harms nothing', () => {
    expect([hasRoom(end), hasRoom(end - MiB), hasRoom(1000 * end)]).toEqual([false, false, false]);
    inTidy(() => expect(flatten(tf.matMul(tf.ones([2, 3]), tf.ones([3, 1])))).toEqual([3, 3]));
  });
});

it.skipIf(backend === 'wasm')('backends without a heap of their own always have room', () => {
  expect(hasRoom(1000 * end)).toBe(true);
});
