export type { SpectralNormOptions } from '../parametrizations/spectralNorm.ts';
export type { Hooked, WithTensor } from './hookApi.ts';
export { removeSpectralNorm, spectralNorm } from './spectralNorm.ts';
export { removeWeightNorm, weightNorm } from './weightNorm.ts';
