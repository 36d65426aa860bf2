import { kernelsByBackend } from '../engine/backendKernels.ts';
import { cpuSpectralNorm } from './spectralNorm/cpu.ts';
import { definePowerIteration, type PowerIterationOp } from './spectralNorm/powerIterationOp.ts';
import { defineSpectralNorm, type SpectralNormOp } from './spectralNorm/spectralNormOp.ts';
import { wasmSpectralNorm } from './spectralNorm/wasm.ts';
import { cpuWeightNorm } from './weightNorm/cpu.ts';
import type { WeightNormKernels } from './weightNorm/kernels.ts';
import { wasmWeightNorm } from './weightNorm/wasm.ts';
import { webglWeightNorm } from './weightNorm/webgl.ts';
import { webgpuWeightNorm } from './weightNorm/webgpu.ts';
import { defineWeightNorm, type WeightNormOp } from './weightNorm/weightNormOp.ts';

const weightNormKernels = /* @__PURE__ */ kernelsByBackend<WeightNormKernels>('weight normalization', {
  cpu: cpuWeightNorm,
  wasm: wasmWeightNorm,
  webgl: webglWeightNorm,
  webgpu: webgpuWeightNorm,
});

/** Weight normalization with the kernels of the package; see {@link defineWeightNorm}. */
export const weightNormOp: WeightNormOp = /* @__PURE__ */ defineWeightNorm(weightNormKernels);

const spectralNormKernels = /* @__PURE__ */ kernelsByBackend('spectral normalization', {
  cpu: cpuSpectralNorm,
  wasm: wasmSpectralNorm,
});

/** Spectral normalization with the kernels of the package; see {@link defineSpectralNorm}. */
export const spectralNormOp: SpectralNormOp = /* @__PURE__ */ defineSpectralNorm(spectralNormKernels);

/** The power iteration with the kernels of the package; see {@link definePowerIteration}. */
export const powerIterationOp: PowerIterationOp = /* @__PURE__ */ definePowerIteration(spectralNormKernels);
