import { kernelsByBackend } from '../engine/backendKernels.ts';
import { cpuSpectralNorm } from './spectralNorm/cpu.ts';
import { definePowerIteration, type PowerIterationOp } from './spectralNorm/powerIterationOp.ts';
import { defineSpectralNorm, type SpectralNormOp } from './spectralNorm/spectralNormOp.ts';
import { wasmSpectralNorm } from './spectralNorm/wasm.ts';
import { cpuWeightNorm } from './weightNorm/cpu.ts';
import type { WeightNormKernels } from './weightNorm/kernels.ts';
import { defineNorm, type NormOp } from './weightNorm/normOp.ts';
import { wasmWeightNorm } from './weightNorm/wasm.ts';
import { webglWeightNorm } from './weightNorm/webgl.ts';
import { webgpuWeightNorm } from './weightNorm/webgpu.ts';
import { defineWeightNorm, type WeightNormOp } from './weightNorm/weightNormOp.ts';

// A bundler may define these constants as false to drop the kernels of a backend that the program never uses. The
// constants are tested where the kernels are named, because bundlers drop unreachable branches.
declare const __TFJS_PARAMETRIZE_CPU__: boolean | undefined;
declare const __TFJS_PARAMETRIZE_WASM__: boolean | undefined;
declare const __TFJS_PARAMETRIZE_WEBGL__: boolean | undefined;
declare const __TFJS_PARAMETRIZE_WEBGPU__: boolean | undefined;

const weightNormKernels = /* @__PURE__ */ kernelsByBackend<WeightNormKernels>('weight normalization', {
  cpu: typeof __TFJS_PARAMETRIZE_CPU__ === 'undefined' || __TFJS_PARAMETRIZE_CPU__ ? cpuWeightNorm : null,
  wasm: typeof __TFJS_PARAMETRIZE_WASM__ === 'undefined' || __TFJS_PARAMETRIZE_WASM__ ? wasmWeightNorm : null,
  webgl:
    typeof __TFJS_PARAMETRIZE_WEBGL__ === 'undefined' || __TFJS_PARAMETRIZE_WEBGL__ ? webglWeightNorm : null,
  webgpu:
    typeof __TFJS_PARAMETRIZE_WEBGPU__ === 'undefined' || __TFJS_PARAMETRIZE_WEBGPU__
      ? webgpuWeightNorm
      : null,
});

/** Weight normalization with the kernels of the package; see {@link defineWeightNorm}. */
export const weightNormOp: WeightNormOp = /* @__PURE__ */ defineWeightNorm(weightNormKernels);

/** Euclidean norms with the kernels of weight normalization; see {@link defineNorm}. */
export const normOp: NormOp = /* @__PURE__ */ defineNorm(weightNormKernels);

const spectralNormKernels = /* @__PURE__ */ kernelsByBackend('spectral normalization', {
  cpu: typeof __TFJS_PARAMETRIZE_CPU__ === 'undefined' || __TFJS_PARAMETRIZE_CPU__ ? cpuSpectralNorm : null,
  wasm:
    typeof __TFJS_PARAMETRIZE_WASM__ === 'undefined' || __TFJS_PARAMETRIZE_WASM__ ? wasmSpectralNorm : null,
});

/** Spectral normalization with the kernels of the package; see {@link defineSpectralNorm}. */
export const spectralNormOp: SpectralNormOp = /* @__PURE__ */ defineSpectralNorm(spectralNormKernels);

/** The power iteration with the kernels of the package; see {@link definePowerIteration}. */
export const powerIterationOp: PowerIterationOp = /* @__PURE__ */ definePowerIteration(spectralNormKernels);
