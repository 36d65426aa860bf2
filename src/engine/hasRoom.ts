import { kernelsByBackend } from './backendKernels.ts';
import { wasmHeap } from './wasmHeap.ts';

const roomByBackend = kernelsByBackend<(bytes: number) => boolean>('what needs much memory', {
  wasm: (backend) => wasmHeap(backend).hasRoom,
});

/**
 * True if the backend in use can allocate so many more bytes in one piece. True for backends other than wasm, which
 * throw when their memory is full.
 */
export const hasRoom = (bytes: number): boolean => roomByBackend()?.(bytes) ?? true;
