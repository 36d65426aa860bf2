import type { KernelBackend } from '@tensorflow/tfjs-core';
import { cpuStorage } from '../../engine/cpuStorage.ts';
import { backward } from './backward.ts';
import { forward } from './forward.ts';
import type { WeightNormKernels } from './kernels.ts';
import { layoutOf } from './layout.ts';
import { plainRoutines } from './loops.ts';
import { simdRoutines } from './simd.ts';
import { plainStageMemory, stage, wasmStageMemory } from './stage.ts';

/**
 * Weight normalization on the cpu backend: a piece at a time in a small WebAssembly memory, or in plain JavaScript where
 * that is not to be had.
 *
 * @throws Error if the backend is not as that of tfjs
 */
export function cpuWeightNorm(backend: KernelBackend): WeightNormKernels {
  const { numbers, store } = cpuStorage(backend);
  const space = simdStage() ?? plainStage();
  return {
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

function simdStage() {
  try {
    const memory = wasmStageMemory();
    return stage(memory, simdRoutines(memory.memory));
  } catch {
    return null;
  }
}

function plainStage() {
  const memory = plainStageMemory();
  return stage(memory, plainRoutines(memory));
}
