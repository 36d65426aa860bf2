import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModuleList } from '../nn/containers/containers.ts';
import type { Module } from '../nn/module/module.ts';
import type { NoOptions } from '../parametrize/define.ts';
import type { RegisterOptions } from '../parametrize/verbs/register.ts';
import type { HostTypes, PossibleHost } from '../parametrize/verbs/registerParametrization.ts';
import { checkDeclaredBeforeUse } from './checkDeclared.ts';
import { makeDeclaration, type ParametrizationFactory, type RegistrationFunction } from './declaration.ts';
import { decorateLegacy } from './legacyDecorator.ts';
import { decorateStandard, isStandard } from './standardDecorator.ts';

/** The hosts of other entry points. */
type TypedHost = {
  [K in keyof HostTypes]: HostTypes[K] extends {
    /** The type of the host. */
    host: infer T;
  }
    ? T
    : never;
}[keyof HostTypes];

/**
 * The type of the values that a decorated field may hold. N is the name of a tensor of the module in the field, or
 * `never`.
 */
export type Decoratable<T, N extends string> = [N] extends [never]
  ? [T] extends [Tensor | Module | TypedHost | null | undefined]
    ? unknown
    : never
  : HasTensor<NonNullable<T>, N>;

/** `unknown` if a module type, or every module of a list, has a tensor of that name. */
type HasTensor<T, N extends string> =
  T extends ModuleList<infer M>
    ? HasTensor<M, N>
    : T extends { readonly [K in N]: Tensor | null | undefined }
      ? unknown
      : T extends TypedHost
        ? unknown
        : T extends Module
          ? [PossibleHost<T, N>] extends [never]
            ? never
            : unknown
          : never;

/** A decorator of fields that hold tensors or modules, for standard decorators and for `experimentalDecorators`. */
export interface FieldDecorator<N extends string = never> {
  /** Decorates a field. */
  <T, V>(value: undefined, context: ClassFieldDecoratorContext<T, V> & Decoratable<V, N>): void;
  /** Decorates an `accessor` field. */
  <T, V>(
    value: ClassAccessorDecoratorTarget<T, V>,
    context: ClassAccessorDecoratorContext<T, V> & Decoratable<V, N>,
  ): ClassAccessorDecoratorResult<T, V>;
  /** Decorates a field with `experimentalDecorators`. */
  <H extends object, K extends keyof H>(target: H, field: K & Decoratable<H[K], N>): void;
}

/** The options of a decorator: the options of its function, and the name of a tensor of a module. */
export type DecoratorOptions<O, N extends string> = ([O] extends [NoOptions | undefined] ? unknown : O) & {
  /** The tensor of the module in the field; default its main weight. Fields that hold a tensor refuse this option. */
  readonly name?: N;
};

/**
 * Declares a parametrization at a field. Each object of the class gets it as soon as the field has its first value.
 *
 * For a field with a tensor, it calls `apply(this, field, options)`. For a field with a module, it registers on the
 * main weight or on the tensor of the option `name`; for a `ModuleList`, on every element. Several decorators of one
 * field are applied from the bottom up. Subclasses inherit the declarations. A field that is null or undefined waits
 * for its first tensor or module.
 *
 * It works as a standard decorator on fields and `accessor` fields, and with `experimentalDecorators`. If those are
 * used with `useDefineForClassFields: true`, add {@link parametrizedModule} to the class.
 *
 * @param apply - a registration function such as `weightNorm`, or a factory. A factory takes no arguments and makes a
 * parametrization for each tensor; the host owns it
 * @returns the decorator
 * @throws {@link DecoratorError} `DECORATOR` if the member is not a field, or if the decorator cannot work with the
 * compiler settings of the class. It is thrown when the decorator is evaluated, when an object is made, or at the first
 * use of the object. The errors of the registration are thrown when an object is made
 * @example
 * ```ts
 * class Block extends nn.Module {
 *   @parametrized(() => new Symmetric()) metric: Tensor = nn.parameter(() => tf.eye(8));
 *   @parametrized(weightNorm, { dim: 0 }) conv = new nn.Conv1d(8, 8, 3);
 *   @parametrized(orthogonal, { name: 'weight_hh_l0' }) rnn = new nn.RNN(8, 8);
 * }
 * ```
 */
export function parametrized<N extends string = never>(
  apply: ParametrizationFactory,
  options?: DecoratorOptions<RegisterOptions, N>,
): FieldDecorator<N>;
export function parametrized<O, N extends string = never>(
  apply: RegistrationFunction<O>,
  options?: DecoratorOptions<NoInfer<O>, N>,
): FieldDecorator<N>;
export function parametrized(apply: unknown, options: object = {}): unknown {
  checkDeclaredBeforeUse();
  return (target: object, context: unknown, descriptor: unknown): unknown => {
    const mode = isStandard(context) ? 'standard' : 'legacy';
    const declaration = makeDeclaration(mode, apply, options as Record<string, unknown>);
    if (isStandard(context)) return decorateStandard(declaration, context);
    return decorateLegacy(declaration, target, context, descriptor);
  };
}
