import type { Routines } from './routines.ts';
import type { Workspace } from './workspace.ts';

/** The numbers of a tensor on the heap. */
export interface HeapNumbers {
  readonly address: number;
  readonly length: number;
}

/** What is needed of the heap. */
interface Heap {
  readonly memory: WebAssembly.Memory;
  withScratch(bytes: number, use: (address: number) => void): void;
}

/** A workspace for tensors on the heap of the wasm backend: the routines work on the tensors themselves. */
export function heapWorkspace(heap: Heap, routines: Routines): Workspace<HeapNumbers> {
  return {
    routines,
    memory: heap.memory,
    longestRow: Number.POSITIVE_INFINITY,
    numbers: ({ address, length }) => new Float32Array(heap.memory.buffer, address, length),
    withScratch: (bytes, _, use) => heap.withScratch(bytes, use),
    pieces(inputs, output, start, size, _, visit) {
      const offset = 4 * start;
      visit(
        inputs.map(({ address }) => address + offset),
        output === null ? 0 : output.address + offset,
        size,
      );
    },
    rows({ inputs, output, ofEach, outputOfEach, count }, visit) {
      visit(inputs.map(addressOf), output.address, ofEach.map(addressOf), outputOfEach.address, count);
    },
  };
}

const addressOf = ({ address }: HeapNumbers): number => address;
