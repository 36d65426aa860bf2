import type { KernelBackend } from '@tensorflow/tfjs-core';
import { cpuStorage } from '../../engine/cpuStorage.ts';
import { plainTileMemory, tileWorkspace, wasmTileMemory } from '../memory/tileWorkspace.ts';
import { simdRoutines } from '../simd/simdRoutines.ts';
import { backward } from './backward.ts';
import { forward } from './forward.ts';
import type { NormKeepingKernels } from './kernels.ts';
import { layoutOf } from './layout.ts';
import { plainRoutines } from './plainRoutines.ts';

/**
 * Makes the kernels of weight normalization for the cpu backend. They compute one tile at a time in a small WebAssembly
 * memory, or in plain JavaScript if WebAssembly is not allowed or has no SIMD.
 *
 * @throws Error if the backend is not like the cpu backend of tfjs
 */
export function cpuWeightNorm(backend: KernelBackend): NormKeepingKernels {
  const { numbers, store } = cpuStorage(backend);
  const space = simdWorkspace() ?? plainWorkspace();
  return {
    keepsNorms: true,
    forward(g, v, axes, eps) {
      const vs = numbers(v);
      const W = new Float32Array(vs.length);
      const norms = new Float32Array(numbers(g).length);
      forward(space, layoutOf(v.shape, axes), { g: numbers(g), v: vs, W, norms, eps });
      return [store(W, v.shape), store(norms, g.shape)];
    },
    backward(dW, g, v, norms, axes, eps) {
      const dg = new Float32Array(numbers(g).length);
      const dv = new Float32Array(numbers(v).length);
      backward(space, layoutOf(v.shape, axes), {
        dW: numbers(dW),
        g: numbers(g),
        v: numbers(v),
        norms: numbers(norms),
        dg,
        dv,
        eps,
      });
      return [store(dg, g.shape), store(dv, v.shape)];
    },
  };
}

function simdWorkspace() {
  try {
    const memory = wasmTileMemory();
    return tileWorkspace(memory, simdRoutines(memory.memory));
  } catch {
    return null;
  }
}

function plainWorkspace() {
  const memory = plainTileMemory();
  return tileWorkspace(memory, plainRoutines(memory));
}
