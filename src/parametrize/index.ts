export type { Arithmetic } from '../nn/stateDict/arithmetic.ts';
export type { HookKeys, Parts, Shaped } from '../nn/stateDict/hookKeys.ts';
export type { ParametrizationList } from './chain/parametrizationList.ts';
export { checked } from './checked.ts';
export { type CatalogFunction, defineParametrization, type NoOptions } from './define.ts';
export type {
  AxesDefinition,
  OptionDefinition,
  OriginalDefinition,
  ParametrizationDefinition,
  SecondCallDefinition,
  TargetTensor,
} from './definition.ts';
export {
  Parametrization,
  type ParametrizationFunction,
  type ParametrizationLike,
  type ParametrizationObject,
  pure,
} from './parametrization.ts';
export type { ReadTensor, SetDefinition, SetFunctions } from './setDefinition.ts';
export { cached } from './verbs/cached.ts';

export {
  type CheckOptions,
  checkParametrization,
  type ParametrizationCheck,
} from './verbs/checkParametrization.ts';
export {
  type InsertOptions,
  type InsertPosition,
  insertParametrization,
} from './verbs/edit/insertParametrization.ts';
export type { Keep, KeepOptions } from './verbs/edit/keep.ts';
export { removeParametrization } from './verbs/edit/removeParametrization.ts';
export { reorderParametrizations } from './verbs/edit/reorderParametrizations.ts';
export { type ReplaceOptions, replaceParametrization } from './verbs/edit/replaceParametrization.ts';
export type { Step } from './verbs/edit/step.ts';
export { invalidate } from './verbs/invalidate.ts';
export {
  isParametrized,
  parametrizationsOn,
  typeBeforeParametrizations,
  valueOf,
} from './verbs/isParametrized.ts';
export type { RegisterOptions } from './verbs/register.ts';
export {
  type HostTypes,
  type PossibleHost,
  type PossibleTensorName,
  registerParametrization,
  type TensorNameOf,
} from './verbs/registerParametrization.ts';
export { type RemoveOptions, removeParametrizations } from './verbs/removeParametrizations.ts';
export { type TieOptions, tie } from './verbs/tie.ts';
export { transferParametrizationsAndParams } from './verbs/transferParametrizationsAndParams.ts';
