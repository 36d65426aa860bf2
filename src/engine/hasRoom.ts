import { kernelsByBackend } from './backendKernels.ts';
import { wasmHeap } from './wasmHeap.ts';

const roomByBackend = kernelsByBackend<(bytes: number) => boolean>('what needs much memory', {
  wasm: (backend) => wasmHeap(backend).hasRoom,
});

/**
 * True if the backend in use can allocate this many more bytes in one piece. Always true for backends other than wasm:
 * they throw when their memory is full.
 */
export const hasRoom = (bytes: number): boolean => roomByBackend()?.(bytes) ?? true;
