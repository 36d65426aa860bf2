export type { CatalogFunction } from './catalogFunction.ts';
export { Skew, skew } from './skew.ts';
export { Symmetric, symmetric } from './symmetric.ts';
export { WeightNorm, type WeightNormOptions, weightNorm } from './weightNorm.ts';
