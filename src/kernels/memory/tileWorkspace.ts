import type { Numbers } from '../../engine/cpuStorage.ts';
import type { Routines } from '../simd/routines.ts';
import type { Workspace } from './workspace.ts';

/** The length of a tile, which is short enough to stay in the fastest cache. */
const TILE = 8192;

/** A memory that belongs to the package and can grow. */
export interface TileMemory {
  readonly buffer: ArrayBufferLike;
  /** Grows the memory to at least this many bytes. */
  reserve(bytes: number): void;
}

/** The memory of routines in WebAssembly. */
export function wasmTileMemory(): TileMemory & { readonly memory: WebAssembly.Memory } {
  const page = 65536;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: page });
  return {
    memory,
    get buffer() {
      return memory.buffer;
    },
    reserve(bytes) {
      const missing = bytes - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / page));
    },
  };
}

/** The memory of routines in JavaScript. */
export function plainTileMemory(): TileMemory {
  let buffer = new ArrayBuffer(0);
  return {
    get buffer() {
      return buffer;
    },
    reserve(bytes) {
      if (bytes > buffer.byteLength) buffer = new ArrayBuffer(bytes);
    },
  };
}

/**
 * Makes a workspace for arrays. It copies one tile of each array into a small memory, runs the routines on it, and
 * copies the result back.
 */
export function tileWorkspace(memory: TileMemory, routines: Routines): Workspace<Numbers> {
  /** The end of the part of the memory that {@link Workspace.withScratch} has given to its caller. */
  let free = 0;
  /** Returns the address of room for this many numbers, after `index` others of the same size. */
  const room = (index: number, length: number) =>
    new Float32Array(memory.buffer, free + index * roomBytes(length), length);

  return {
    routines,
    memory,
    longestRow: TILE,
    numbers: (array) => array,
    withScratch(bytes, multiple, use) {
      memory.reserve(bytes + 2 * roomBytes(Math.max(TILE, multiple)));
      free = Math.ceil(bytes / 8) * 8;
      new Float64Array(memory.buffer, 0, free / 8).fill(0);
      try {
        use(0);
      } finally {
        free = 0;
      }
    },
    pieces(inputs, output, start, size, multiple, visit) {
      const length = Math.max(1, Math.floor(TILE / multiple)) * multiple;
      memory.reserve(free + 2 * roomBytes(length));
      const rooms = inputs.map((_, i) => room(i, length));
      const addresses = rooms.map(({ byteOffset }) => byteOffset);
      for (let done = 0; done < size; done += length) {
        const n = Math.min(length, size - done);
        const from = start + done;
        inputs.forEach((input, i) => {
          rooms[i]!.set(input.subarray(from, from + n));
        });
        // The output overwrites the first input. Each number is read before it is overwritten.
        visit(addresses, addresses[0]!, n);
        output?.set(n === length ? rooms[0]! : rooms[0]!.subarray(0, n), from);
      }
    },
    rows({ inputs, output, ofEach, outputOfEach, count, length }, visit) {
      const atOnce = Math.max(1, Math.floor(TILE / length));
      const size = atOnce * length;
      memory.reserve((inputs.length + ofEach.length + 1) * roomBytes(Math.max(size, atOnce)));
      const rooms = inputs.map((_, i) => room(i, size));
      const small = Array.from({ length: ofEach.length + 1 }, (_, i) => room(inputs.length + i, size));
      const addresses = rooms.map(({ byteOffset }) => byteOffset);
      const smallAddresses = small.map(({ byteOffset }) => byteOffset);
      for (let done = 0; done < count; done += atOnce) {
        const n = Math.min(atOnce, count - done);
        inputs.forEach((input, i) => {
          rooms[i]!.set(input.subarray(done * length, (done + n) * length));
        });
        ofEach.forEach((array, i) => {
          small[i]!.set(array.subarray(done, done + n));
        });
        visit(addresses, addresses[0]!, smallAddresses, smallAddresses.at(-1)!, n);
        output.set(rooms[0]!.subarray(0, n * length), done * length);
        outputOfEach.set(small.at(-1)!.subarray(0, n), done);
      }
    },
  };
}

/** The bytes for a piece, with some padding so that pieces do not compete for the same cache lines. */
const roomBytes = (length: number): number => Math.ceil(length / 16) * 64 + 192;
