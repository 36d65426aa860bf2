import type { Tensor } from '@tensorflow/tfjs-core';
import { kernelsByBackend } from './backendKernels.ts';
import { cpuStorage } from './cpuStorage.ts';
import { wasmHeap } from './wasmHeap.ts';

/**
 * Returns the numbers of a float32 tensor, or null if reading them would wait for a device.
 *
 * Note [Host values]. No algorithm waits for the data of a tensor. Some backends compute in the memory of the process;
 * there an algorithm can read the numbers at once and do only the work that they need. On other backends it takes a
 * path that reads nothing. The caller passes the reader in, so tests can compare both paths.
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
 * Returns the numbers of a float32 tensor on the cpu and wasm backends, which have them in the memory of this process.
 * Returns null on other backends.
 */
export const hostValues: SyncReader = (x) => readersByBackend()?.(x) ?? null;
