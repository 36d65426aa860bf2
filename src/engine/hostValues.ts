import type { Tensor } from '@tensorflow/tfjs-core';
import { kernelsByBackend } from './backendKernels.ts';
import { cpuStorage } from './cpuStorage.ts';
import { wasmHeap } from './wasmHeap.ts';

/**
 * The numbers of a float32 tensor, or null where asking for them would mean waiting for a device.
 *
 * Note [Host values]. Nothing here reads a tensor synchronously. On backends that compute in the memory of the process
 * the numbers can be looked at all the same, so that an algorithm may do what they need and no more; it has another way
 * without them. An algorithm takes its reader as a parameter, so that tests compare both ways.
 */
export type SyncReader = (x: Tensor) => ArrayLike<number> | null;

const readersByBackend = kernelsByBackend<(x: Tensor) => ArrayLike<number>>('what depends on numbers', {
  cpu: (backend) => {
    const { numbers } = cpuStorage(backend);
    return (x) => numbers(x).slice();
  },
  wasm: (backend) => {
    const heap = wasmHeap(backend);
    return (x) => {
      const address = heap.address(x);
      return new Float32Array(heap.memory.buffer, address, x.size).slice();
    };
  },
});

/**
 * The numbers of a float32 tensor, if the backend in use has them in the memory of this process, where looking at them
 * waits for nothing: cpu and wasm. Null elsewhere, where reading would mean waiting for a device.
 */
export const hostValues: SyncReader = (x) => readersByBackend()?.(x) ?? null;
