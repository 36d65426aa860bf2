import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { wasmHeap } from '../../engine/wasmHeap.ts';
import { backward } from './backward.ts';
import { forward } from './forward.ts';
import { heapWorkspace } from './heap.ts';
import type { WeightNormKernels } from './kernels.ts';
import { layoutOf } from './layout.ts';
import { simdRoutines } from './simd.ts';

/**
 * Weight normalization on the wasm backend: a module of the package's own works in the memory of the backend.
 *
 * @throws Error if the backend is not as that of tfjs, or WebAssembly has no SIMD
 */
export function wasmWeightNorm(backend: KernelBackend): WeightNormKernels {
  const heap = wasmHeap(backend);
  const space = heapWorkspace(heap, simdRoutines(heap.memory));
  /** Has tensors of another backend brought to the heap, before anything depends on where its memory is. */
  const bring = (...tensors: TensorInfo[]) => {
    for (const tensor of tensors) heap.address(tensor);
  };
  return {
    forward(g, v, axes, eps) {
      bring(g, v);
      const W = heap.allocate(v.shape);
      const norms = heap.allocate(g.shape);
      forward(space, layoutOf(v.shape, axes), { g, v, W, norms, eps });
      return [W, norms];
    },
    backward(dW, g, v, norms, axes, eps) {
      bring(dW, g, v, norms);
      const dg = heap.allocate(g.shape);
      const dv = heap.allocate(v.shape);
      backward(space, layoutOf(v.shape, axes), { dW, g, v, norms, dg, dv, eps });
      return [dg, dv];
    },
  };
}
