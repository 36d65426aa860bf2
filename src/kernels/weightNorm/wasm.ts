import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { type WasmHeap, wasmHeap } from '../../engine/wasmHeap.ts';
import { type HeapTensor, heapWorkspace } from '../memory/heapWorkspace.ts';
import { simdRoutines } from '../simd/simdRoutines.ts';
import { backward } from './backward.ts';
import { forward } from './forward.ts';
import type { NormKeepingKernels } from './kernels.ts';
import { layoutOf } from './layout.ts';

/**
 * Makes the kernels of weight normalization for the wasm backend. A WebAssembly module of this package works in the
 * memory of the backend.
 *
 * @throws Error if the backend is not like the wasm backend of tfjs, or WebAssembly has no SIMD
 */
export function wasmWeightNorm(backend: KernelBackend): NormKeepingKernels {
  const heap = wasmHeap(backend);
  const space = heapWorkspace(heap, simdRoutines(heap.memory));
  return {
    keepsNorms: true,
    forward(g, v, axes, eps) {
      const W = heap.allocate(v.shape);
      const norms = heap.allocate(g.shape);
      forward(space, layoutOf(v.shape, axes), {
        g: onHeap(heap, g),
        v: onHeap(heap, v),
        W: onHeap(heap, W),
        norms: onHeap(heap, norms),
        eps,
      });
      return [W, norms];
    },
    backward(dW, g, v, norms, axes, eps) {
      const dg = heap.allocate(g.shape);
      const dv = heap.allocate(v.shape);
      backward(space, layoutOf(v.shape, axes), {
        dW: onHeap(heap, dW),
        g: onHeap(heap, g),
        v: onHeap(heap, v),
        norms: onHeap(heap, norms),
        dg: onHeap(heap, dg),
        dv: onHeap(heap, dv),
        eps,
      });
      return [dg, dv];
    },
  };
}

/**
 * Returns the address of a tensor. A tensor of another backend is moved to the heap first, and the memory may grow. So
 * call this for all tensors before any view of the memory is made.
 */
const onHeap = (heap: WasmHeap, tensor: TensorInfo): HeapTensor => ({
  address: heap.address(tensor),
  shape: tensor.shape,
});
