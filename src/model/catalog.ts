import { maxNorm } from '../parametrizations/maxNorm.ts';
import { minMaxNorm } from '../parametrizations/minMaxNorm.ts';
import { nonNeg } from '../parametrizations/nonNeg.ts';
import { orthogonal } from '../parametrizations/orthogonal.ts';
import { skew } from '../parametrizations/skew.ts';
import { spectralNorm } from '../parametrizations/spectralNorm.ts';
import { symmetric } from '../parametrizations/symmetric.ts';
import { unitNorm } from '../parametrizations/unitNorm.ts';
import { weightNorm } from '../parametrizations/weightNorm.ts';
import type { Catalog } from './recipe.ts';

/** Every function of this package that a recipe may name. */
export const catalog: Catalog = {
  maxNorm,
  minMaxNorm,
  nonNeg,
  orthogonal,
  skew,
  spectralNorm,
  symmetric,
  unitNorm,
  weightNorm,
};
