export type { ParametrizationFactory, RegistrationFunction } from './declaration.ts';
export { DecoratorError, type DecoratorMode } from './decoratorError.ts';
export {
  type DeclaredByRule,
  type DeclaredOnField,
  type DeclaredParametrization,
  parametrizationsOf,
} from './parametrizationsOf.ts';
export {
  type Decoratable,
  type DecoratorOptions,
  type FieldDecorator,
  parametrized,
} from './parametrized.ts';
export { type AnyClass, type ModuleRules, parametrizedModule } from './parametrizedModule.ts';
