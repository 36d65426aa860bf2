export { type ErrorCode, ParametrizeError } from './errors.ts';
export {
  clone,
  type DescribedOriginal,
  type DescribedTensor,
  type Description,
  describe,
  fold,
  syncOptimizer,
} from './model/index.ts';
export * as nn from './nn/index.ts';
export {
  type CatalogFunction,
  Skew,
  Symmetric,
  skew,
  symmetric,
  WeightNorm,
  type WeightNormOptions,
  weightNorm,
} from './parametrizations/index.ts';
export {
  cached,
  type ForeignHosts,
  type ForeignName,
  invalidate,
  isParametrized,
  type LooseHost,
  Parametrization,
  type ParametrizationFunction,
  type ParametrizationLike,
  type ParametrizationList,
  type ParametrizationObject,
  parametrizationsOn,
  pure,
  type RegisterOptions,
  type RemoveOptions,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
  typeBeforeParametrizations,
  valueOf,
} from './parametrize/index.ts';
