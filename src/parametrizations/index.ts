export type { CatalogFunction } from './catalogFunction.ts';
export { Skew, skew } from './skew.ts';
export { SpectralNorm, spectralNorm } from './spectralNorm.ts';
export type { SpectralNormOptions } from './spectralOptions.ts';
export { Symmetric, symmetric } from './symmetric.ts';
export { WeightNorm, type WeightNormOptions, weightNorm } from './weightNorm.ts';
