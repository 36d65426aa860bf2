import { typeName } from '../core/text.ts';
import { ownMetadata, storeMetadata } from './classMetadata.ts';
import type { Declaration } from './declaration.ts';
import { DecoratorError, type DecoratorMode } from './decoratorError.ts';

/** A field with decorators. */
export interface DeclaredField {
  readonly field: string;
  readonly mode: DecoratorMode;
  /** The declarations in the order of application: the decorator next to the field comes first. */
  readonly declarations: Declaration[];
  /** True once an object of the class has its parametrizations. */
  applied: boolean;
  /** True if a class decorator completes the field. */
  finished: boolean;
}

/** A declared field, and the prototype of the class that declares it. */
export interface FieldOf {
  readonly declared: DeclaredField;
  readonly declaring: object;
}

const KEY = 'tfjs-parametrize:fields';

/**
 * The key of the metadata of standard decorators on a class. Compilers read `Symbol.metadata` when a class is defined,
 * and store no metadata if it is missing. This file defines it in time, because a class imports its decorators first.
 */
const METADATA: symbol = metadataSymbol();

/** The original constructor of a prototype whose class a decorator replaced. Its source can be read. */
export const undecorated = new WeakMap<object, object>();

/** The fields declared on a prototype and its parents. The map is replaced when a class declares another field. */
let fieldsByPrototype = new WeakMap<object, readonly FieldOf[]>();

/**
 * Stores a declaration.
 *
 * @param target - the metadata object of a class, or its prototype in legacy mode
 * @returns the field, which is new at its first declaration
 * @throws {@link DecoratorError} if a parent class declares the same field
 */
export function declareField(
  target: object,
  field: string,
  mode: DecoratorMode,
  declaration: Declaration,
): { declared: DeclaredField; isNew: boolean } {
  for (let above = Object.getPrototypeOf(target); above !== null; above = Object.getPrototypeOf(above)) {
    if (ownFields(above).has(field)) throw declaredTwice(mode, field);
  }
  const fields = ownFields(target);
  const known = fields.get(field);
  const declared = known ?? { field, mode, declarations: [], applied: false, finished: false };
  declared.declarations.push(declaration);
  storeMetadata(KEY, fields.set(field, declared), target);
  fieldsByPrototype = new WeakMap();
  return { declared, isNew: known === undefined };
}

function ownFields(target: object): Map<string, DeclaredField> {
  return (ownMetadata(KEY, target) as Map<string, DeclaredField> | undefined) ?? new Map();
}

/**
 * Returns the declared fields of all objects with a prototype. Fields of parent classes come first.
 *
 * @throws {@link DecoratorError} if two classes declare the same field in different modes
 */
export function fieldsDeclaredOn(prototype: object | null): readonly FieldOf[] {
  if (prototype === null) return [];
  const known = fieldsByPrototype.get(prototype);
  if (known !== undefined) return known;
  const fields = [...fieldsDeclaredOn(Object.getPrototypeOf(prototype))];
  const type: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  const metadata: unknown =
    typeof type === 'function' && Object.getOwnPropertyDescriptor(type, METADATA)?.value;
  const targets = typeof metadata === 'object' && metadata !== null ? [metadata, prototype] : [prototype];
  for (const declared of targets.flatMap((target) => [...ownFields(target).values()])) {
    if (fields.some((other) => other.declared.field === declared.field)) {
      throw declaredTwice(declared.mode, declared.field);
    }
    fields.push({ declared, declaring: prototype });
  }
  fieldsByPrototype.set(prototype, fields);
  return fields;
}

/** Returns the name of a field for messages: `Net.weight`. */
export const nameOf = ({ declared, declaring }: FieldOf): string =>
  `${typeName(Object.create(declaring))}.${declared.field}`;

function metadataSymbol(): symbol {
  const symbols = Symbol as { metadata?: symbol };
  symbols.metadata ??= Symbol.for('Symbol.metadata');
  return symbols.metadata;
}

const declaredTwice = (mode: DecoratorMode, field: string): DecoratorError =>
  new DecoratorError(mode, {
    fact: `the field '${field}' is decorated in a class and in its parent class (${mode} decorators)`,
    remedy:
      'The subclass inherits what the parent declares: drop the field there, or call the registration function in its constructor.',
  });
