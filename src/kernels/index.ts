import type { Tensor } from '@tensorflow/tfjs-core';
import { kernelsByBackend } from '../engine/backendKernels.ts';
import type { SingularVectors } from '../ops/matrix/powerIteration.ts';
import { cpuSpectralNorm } from './spectralNorm/cpu.ts';
import type { Iteration } from './spectralNorm/kernels.ts';
import { powerIterationWith, spectralNormWith } from './spectralNorm/op.ts';
import { wasmSpectralNorm } from './spectralNorm/wasm.ts';
import { cpuWeightNorm } from './weightNorm/cpu.ts';
import type { NormlessWeightNormKernels, WeightNormKernels } from './weightNorm/kernels.ts';
import { weightNormWith } from './weightNorm/op.ts';
import { wasmWeightNorm } from './weightNorm/wasm.ts';
import { webglWeightNorm } from './weightNorm/webgl.ts';
import { webgpuWeightNorm } from './weightNorm/webgpu.ts';

const weightNormKernels = /* @__PURE__ */ kernelsByBackend<WeightNormKernels | NormlessWeightNormKernels>(
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

const spectralNormKernels = /* @__PURE__ */ kernelsByBackend('spectral normalization', {
  cpu: cpuSpectralNorm,
  wasm: wasmSpectralNorm,
});

/**
 * Spectral normalization as one operation with one gradient: `Y = W/σ`; see {@link spectralNormWith}. On a backend with
 * kernels for it, one kernel forward and one backward.
 *
 * @param dim - the axis whose slices are the rows of the matrix
 */
export const spectralNormOp = (W: Tensor, dim: number, vectors: SingularVectors): Tensor =>
  spectralNormWith(spectralNormKernels, W, dim, vectors);

/** The power iteration for the matrix of a tensor; see {@link powerIterationWith}. */
export const powerIterationOp = (
  W: Tensor,
  dim: number,
  start: SingularVectors,
  how: Iteration,
): SingularVectors => powerIterationWith(spectralNormKernels, W, dim, start, how);
