import type { Declaration } from './declaration.ts';
import { declareField, type FieldOf, fieldsDeclaredOn } from './declaredFields.ts';
import { DecoratorError } from './decoratorError.ts';
import { giveValue } from './fieldValue.ts';

/** What a standard decorator of a member is told. */
export type StandardContext = ClassMemberDecoratorContext | ClassDecoratorContext;

/** What a decorator of a field returns: nothing, an initializer, or a part of an accessor. */
export type FieldDecoration = undefined | ((value: unknown) => unknown) | { init(value: unknown): unknown };

/** Whether a decorator was called by the standard's protocol; legacy decorators get the name of the field here. */
export const isStandard = (context: unknown): context is StandardContext =>
  typeof context === 'object' && context !== null && 'kind' in context;

/**
 * Declares a parametrization by a standard decorator.
 *
 * Note [When a field is decorated]: an initializer that a decorator adds to a field runs right after the field was
 * defined and before the next one is: what follows in the class sees the parametrized tensor. In the proposals before
 * 2023-05 it ran before every field, when there was nothing to parametrize yet. An `accessor` field lives on the
 * prototype, with its value in a private place that a copy made by `Object.create` lacks; so the object gets a property
 * of its own in front of it, as for any other field.
 *
 * @throws {@link DecoratorError} for a member that is no field
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
    // Not `context.access`: as swc compiles it, the private place of an accessor is not there yet.
    giveValue(host, fieldOn(host, declared), initial.get(host));
    initial.delete(host);
  });
  return kind === 'field' ? note : { init: note };
}

const fieldOn = (host: object, declared: FieldOf['declared']): FieldOf =>
  fieldsDeclaredOn(Object.getPrototypeOf(host)).find((other) => other.declared === declared)!;

const notAField = (what: string): DecoratorError =>
  new DecoratorError(
    'standard',
    `@parametrized: cannot decorate ${what} (standard decorators). Decorate a public field that holds a tensor or a module.`,
  );

const earlyProposal = (name: string): DecoratorError =>
  new DecoratorError(
    'early proposal',
    `@parametrized: the decorators of '${name}' are compiled as an early proposal (swc: decoratorVersion '2022-03'), which runs their initializers before the fields exist. Set decoratorVersion: '2023-11' in swc (version: '2023-11' in Babel).`,
  );
