import { refusal } from '../core/errors.ts';
import { typeName } from '../core/text.ts';
import { copyOptions, type ParametrizationFactory, type RegistrationFunction } from './declaration.ts';
import { fieldsDeclaredOn } from './declaredFields.ts';
import type { AnyClass } from './parametrizedModule.ts';

/** One parametrization that a class declares. */
export interface DeclaredParametrization {
  /** The name of the field. */
  readonly field: string;
  /** The name of the tensor of the module in the field, if the declaration has one. */
  readonly tensor: string | undefined;
  /** The registration function or the factory that was passed to the decorator. */
  readonly apply: RegistrationFunction | ParametrizationFactory;
  /** The options that were passed to the decorator, without the name of the tensor. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The class that declares the parametrization. */
  readonly declaredIn: AnyClass;
  /** Returns the declaration as a program writes it: `@parametrized(weightNorm, {"dim":0}) weight`. */
  toString(): string;
}

/**
 * Lists the parametrizations that a class declares, without making an object of it. Parent classes come first. The
 * parametrizations of a field are in the order of application. Fields are in the order in which their decorators are
 * evaluated, so `accessor` fields come before the others.
 *
 * @returns a new array that belongs to the caller
 * @throws {@link ParametrizeError} `NOT_A_FUNCTION` if the argument is not a class
 * @example
 * ```ts
 * for (const declared of parametrizationsOf(Net)) console.log(String(declared));
 * ```
 */
export function parametrizationsOf(type: AnyClass): DeclaredParametrization[] {
  const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
  if (typeof prototype !== 'object' || prototype === null) {
    throw refusal(
      'NOT_A_FUNCTION',
      'parametrizationsOf',
      `expected a class, got ${typeName(type)}`,
      'Pass the class of an object: object.constructor.',
    );
  }
  return fieldsDeclaredOn(prototype).flatMap(({ declared: { field, declarations }, declaring }) =>
    declarations.map(({ apply, tensor, options }): DeclaredParametrization => {
      const given = copyOptions(options);
      return {
        field,
        tensor,
        apply,
        options: given,
        declaredIn: declaring.constructor as AnyClass,
        toString: () => `@parametrized(${argumentsText(apply, tensor, given)}) ${field}`,
      };
    }),
  );
}

function argumentsText(apply: { name: string }, tensor: string | undefined, given: object): string {
  const what = apply.name || factoryText(apply);
  const all = tensor === undefined ? given : { ...given, name: tensor };
  return Object.keys(all).length === 0 ? what : `${what}, ${JSON.stringify(all)}`;
}

/** Describes a factory without a name by the class that its source names. Compilers shorten the rest of the source. */
function factoryText(factory: object): string {
  const [, type] = /\bnew\s+([\w$.]+)/.exec(Function.prototype.toString.call(factory)) ?? [];
  return type === undefined ? '() => …' : `() => new ${type}(…)`;
}
