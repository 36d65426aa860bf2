import { refusal } from '../core/errors.ts';
import { isRecord } from '../core/guards.ts';
import { typeName } from '../core/text.ts';
import type { Rule } from '../model/rules/rule.ts';
import { copyOptions, copyValue } from './copyOptions.ts';
import type { ParametrizationFactory, RegistrationFunction } from './declaration.ts';
import { fieldsDeclaredOn } from './declaredFields.ts';
import { rulesDeclaredOn } from './declaredRules.ts';
import type { AnyClass } from './parametrizedModule.ts';

/** A parametrization that a class declares at a field. */
export interface DeclaredOnField {
  /** The name of the field. */
  readonly field: string;
  /** Null: no rule. */
  readonly rule: null;
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

/** A rule that a class declares. */
export interface DeclaredByRule {
  /** Null: a rule is of the whole class. */
  readonly field: null;
  /** The rule. */
  readonly rule: Rule;
  /** The function that the rule registers with, its name in the catalog of the declaration, or null. */
  readonly apply: Rule['apply'];
  /** The class that declares the rule. */
  readonly declaredIn: AnyClass;
  /** Returns the rule as a program writes it: `@parametrizedModule {type: Linear, apply: weightNorm}`. */
  toString(): string;
}

/** A parametrization, or a rule, that a class declares. */
export type DeclaredParametrization = DeclaredOnField | DeclaredByRule;

/**
 * Lists the parametrizations that a class declares, without making an object of it. They are in the order of
 * application: fields, then rules; parent classes first. Of the fields of a class, `accessor` fields come before the
 * others, because their decorators are evaluated first.
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
  return [...onFields(prototype), ...byRules(prototype)];
}

const onFields = (prototype: object): DeclaredOnField[] =>
  fieldsDeclaredOn(prototype).flatMap(({ declared: { field, declarations }, declaring }) =>
    declarations.map(({ apply, tensor, options }): DeclaredOnField => {
      const given = copyOptions(options);
      return {
        field,
        rule: null,
        tensor,
        apply,
        options: given,
        declaredIn: declaring.constructor as AnyClass,
        toString: () => `@parametrized(${argumentsText(apply, tensor, given)}) ${field}`,
      };
    }),
  );

const byRules = (prototype: object): DeclaredByRule[] =>
  rulesDeclaredOn(prototype).flatMap(({ rules, declaring }) =>
    rules.map((declared): DeclaredByRule => {
      const rule = copyValue(declared) as Rule;
      return {
        field: null,
        rule,
        apply: rule.apply,
        declaredIn: declaring.constructor as AnyClass,
        toString: () => `@parametrizedModule ${valueText(rule)}`,
      };
    }),
  );

function valueText(value: unknown): string {
  if (typeof value === 'function') return value.name || '() => …';
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (value instanceof RegExp) return String(value);
  if (!isRecord(value)) return typeof value === 'string' ? `'${value}'` : String(value);
  return `{${Object.entries(value)
    .map(([key, one]) => `${key}: ${valueText(one)}`)
    .join(', ')}}`;
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
