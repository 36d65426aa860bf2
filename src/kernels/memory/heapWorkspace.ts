import * as tf from '@tensorflow/tfjs-core';
import type { Routines } from '../simd/routines.ts';
import type { Workspace } from './workspace.ts';

/** A tensor on the heap. */
export interface HeapTensor {
  readonly address: number;
  readonly shape: readonly number[];
}

/** The part of the heap that this file uses. */
interface Heap {
  readonly memory: WebAssembly.Memory;
  withScratch(bytes: number, use: (address: number) => void): void;
}

/** Makes a workspace for tensors on the heap of the wasm backend. The routines work on the tensors themselves. */
export function heapWorkspace(heap: Heap, routines: Routines): Workspace<HeapTensor> {
  return {
    routines,
    memory: heap.memory,
    longestRow: Number.POSITIVE_INFINITY,
    numbers: ({ address, shape }) =>
      new Float32Array(heap.memory.buffer, address, tf.util.sizeFromShape([...shape])),
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

const addressOf = ({ address }: HeapTensor): number => address;
