import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmHeap } from '../../engine/wasmHeap.ts';
import type { Routines } from './routines.ts';
import type { Workspace } from './workspace.ts';

/** A workspace for tensors on the heap of the wasm backend: the routines work on the tensors themselves. */
export function heapWorkspace(heap: WasmHeap, routines: Routines): Workspace<TensorInfo> {
  return {
    routines,
    memory: heap.memory,
    longestRow: Number.POSITIVE_INFINITY,
    numbers: (tensor) =>
      new Float32Array(
        heap.memory.buffer,
        heap.address(tensor),
        tensor.shape.reduce((a, b) => a * b, 1),
      ),
    withScratch: (bytes, _, use) => heap.withScratch(bytes, use),
    pieces(inputs, output, start, size, _, visit) {
      const address = (tensor: TensorInfo) => heap.address(tensor) + 4 * start;
      visit(inputs.map(address), output === null ? 0 : address(output), size);
    },
    rows({ inputs, output, ofEach, outputOfEach, count }, visit) {
      visit(
        inputs.map(heap.address),
        heap.address(output),
        ofEach.map(heap.address),
        heap.address(outputOfEach),
        count,
      );
    },
  };
}
