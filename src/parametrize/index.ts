export { cached } from './cached.ts';
export {
  type CheckOptions,
  checkParametrization,
  type ParametrizationCheck,
} from './checkParametrization.ts';
export { type CatalogFunction, defineParametrization, type NoOptions } from './define.ts';
export type { OptionDefinition, ParametrizationDefinition, TargetTensor } from './definition.ts';
export { invalidate } from './invalidate.ts';
export { isParametrized, parametrizationsOn, typeBeforeParametrizations, valueOf } from './isParametrized.ts';
export {
  Parametrization,
  type ParametrizationFunction,
  type ParametrizationLike,
  type ParametrizationObject,
  pure,
} from './parametrization.ts';
export type { ParametrizationList } from './parametrizationList.ts';
export type { RegisterOptions } from './register.ts';
export {
  type HostTypes,
  type LooseHost,
  type LooseName,
  registerParametrization,
  type TensorNameOf,
} from './registerParametrization.ts';
export { type RemoveOptions, removeParametrizations } from './removeParametrizations.ts';
export { transferParametrizationsAndParams } from './transferParametrizationsAndParams.ts';
