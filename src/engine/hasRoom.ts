import { kernelsByBackend } from './backendKernels.ts';
import { wasmHeap } from './wasmHeap.ts';

const roomByBackend = kernelsByBackend<(bytes: number) => boolean>('what needs much memory', {
  wasm: (backend) => wasmHeap(backend).hasRoom,
});

/**
 * Whether the backend in use could hold so many more bytes in one piece. True where it cannot be known: other backends than
 * wasm throw when their memory is full.
 */
export const hasRoom = (bytes: number): boolean => roomByBackend()?.(bytes) ?? true;
