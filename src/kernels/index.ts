import type { Tensor } from '@tensorflow/tfjs-core';
import { kernelsByBackend } from '../engine/backendKernels.ts';
import { cpuWeightNorm } from './weightNorm/cpu.ts';
import type { NormlessWeightNormKernels, WeightNormKernels } from './weightNorm/kernels.ts';
import { weightNormWith } from './weightNorm/op.ts';
import { wasmWeightNorm } from './weightNorm/wasm.ts';
import { webglWeightNorm } from './weightNorm/webgl.ts';
import { webgpuWeightNorm } from './weightNorm/webgpu.ts';

const weightNormKernels = kernelsByBackend<WeightNormKernels | NormlessWeightNormKernels>(
  'weight normalization',
  {
    cpu: cpuWeightNorm,
    wasm: wasmWeightNorm,
    webgl: webglWeightNorm,
    webgpu: webgpuWeightNorm,
  },
);

/**
 * Weight normalization as one operation with one gradient: `W = g · v / max(‖v‖, eps)`; see {@link weightNormWith}. On a
 * backend with kernels for it, one kernel forward and one backward.
 *
 * @param axes - the axes that a norm runs over
 */
export const weightNormOp = (g: Tensor, v: Tensor, axes: readonly number[], eps: number): Tensor =>
  weightNormWith(weightNormKernels, g, v, axes, eps);
