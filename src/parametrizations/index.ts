export type { CatalogFunction } from './catalogFunction.ts';
export { Orthogonal, type OrthogonalOptions, orthogonal } from './orthogonal.ts';
export type { OrthogonalMap } from './orthogonalMap.ts';
export { Skew, skew } from './skew.ts';
export { SpectralNorm, spectralNorm } from './spectralNorm.ts';
export type { SpectralNormOptions } from './spectralOptions.ts';
export { Symmetric, symmetric } from './symmetric.ts';
export { WeightNorm, type WeightNormOptions, weightNorm } from './weightNorm.ts';
