import type { Declaration } from './declaration.ts';
import { declareField, type FieldOf, fieldsDeclaredOn } from './declaredFields.ts';
import { DecoratorError } from './decoratorError.ts';
import { giveValue } from './fieldValue.ts';

/** The context of a standard decorator of a member. */
export type StandardContext = ClassMemberDecoratorContext | ClassDecoratorContext;

/** The result of a field decorator: nothing, an initializer, or parts of an accessor. */
export type FieldDecoration = undefined | ((value: unknown) => unknown) | { init(value: unknown): unknown };

/** True if a decorator was called by the standard. Legacy decorators get the name of the field instead. */
export const isStandard = (context: unknown): context is StandardContext =>
  typeof context === 'object' && context !== null && 'kind' in context;

/**
 * Declares a parametrization by a standard decorator.
 *
 * Note [When a field is decorated]: an initializer that a decorator adds to a field runs after the field is defined and
 * before the next field. So the rest of the class sees the parametrized tensor. In the proposals before 2023-05 it ran
 * before all fields, when no value existed. An `accessor` field is on the prototype, and its value is in private
 * storage that a copy by `Object.create` does not have. So the object gets an own property that hides the accessor, as
 * for other fields.
 *
 * @throws {@link DecoratorError} for a member that is not a field
 */
export function decorateStandard(declaration: Declaration, context: StandardContext): FieldDecoration {
  const { kind, metadata } = context;
  if (kind !== 'field' && kind !== 'accessor') throw notAField(`a ${kind}`);
  const { name } = context;
  if (context.static || context.private || typeof name !== 'string') {
    throw notAField(
      `the ${context.static ? 'static' : context.private ? 'private' : 'symbol'} field ${String(name)}`,
    );
  }
  if (metadata === undefined) throw earlyProposal(name);
  const { declared, isNew } = declareField(metadata, name, 'standard', declaration);
  if (!isNew) return undefined;
  const initial = new WeakMap<object, unknown>();
  function note(this: object, value: unknown): unknown {
    initial.set(this, value);
    return value;
  }
  context.addInitializer(function (this: unknown) {
    const host = this as object;
    if (!initial.has(host)) throw earlyProposal(name);
    // `context.access` fails in code that swc compiles, because the private storage of the accessor does not exist yet.
    giveValue(host, fieldOn(host, declared), initial.get(host));
    initial.delete(host);
  });
  return kind === 'field' ? note : { init: note };
}

const fieldOn = (host: object, declared: FieldOf['declared']): FieldOf =>
  fieldsDeclaredOn(Object.getPrototypeOf(host)).find((other) => other.declared === declared)!;

const notAField = (what: string): DecoratorError =>
  new DecoratorError('standard', {
    fact: `cannot decorate ${what} (standard decorators)`,
    remedy: 'Decorate a public field that holds a tensor or a module.',
  });

const earlyProposal = (name: string): DecoratorError =>
  new DecoratorError('early proposal', {
    fact: `the decorators of '${name}' are compiled as an early proposal (swc: decoratorVersion '2022-03'), which runs their initializers before the fields exist`,
    remedy: "Set decoratorVersion: '2023-11' in swc (version: '2023-11' in Babel).",
  });
