import { type ParametrizeError, refusal } from '../../core/errors.ts';
import { typeName } from '../../core/text.ts';
import { isPlainObject } from '../../engine/scope.ts';
import { isModule } from '../module/fields.ts';
import type { Module } from '../module/module.ts';

/** Values by name: an object, or pairs. */
export type Named<T> = Readonly<Record<string, T>> | readonly (readonly [string, T])[];

/** Modules by name: an object, or pairs. */
export type NamedModules<M extends Module = Module> = Named<M>;

/**
 * Returns the pairs of either form of {@link Named}.
 *
 * @throws {@link ParametrizeError} `OPTION` for anything else
 */
export function pairsOf<T>(
  caller: string,
  named: Named<T>,
  [kind, remedy]: readonly [kind: string, remedy: string] = moduleKind,
): (readonly [string, T])[] {
  if (Array.isArray(named)) {
    if (named.every((pair) => Array.isArray(pair) && pair.length === 2)) return [...named];
  } else if (isPlainObject(named)) return Object.entries(named);
  throw refusal(
    'OPTION',
    caller,
    `${kind}s by name are an object or an array of [name, ${kind}] pairs, got ${typeName(named)}`,
    `Pass { name: ${kind} }; ${remedy}.`,
  );
}

const moduleKind = [
  'module',
  'a Sequential without names takes its modules one by one, a ModuleList takes an array',
] as const;

/**
 * Puts a module into a container as an own enumerable field, where the container finds it.
 *
 * @throws {@link ParametrizeError} `INVALID_NAME` if the name cannot be a field, `OPTION` if the child is not a module
 */
export function setChild(container: Module, name: string, child: Module): void {
  checkChild(container, name, child);
  // An assignment would call a setter.
  Object.defineProperty(container, name, {
    value: child,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/**
 * Appends modules to a container in order, all or none.
 *
 * @throws {@link ParametrizeError} the errors of {@link setChild}, and `INVALID_NAME` if a name is taken or JavaScript
 * would order the names differently
 */
export function appendChildren(container: Module, pairs: readonly (readonly [string, Module])[]): void {
  const names = new Set(container.namedChildren().map(([name]) => name));
  for (const [name, child] of pairs) {
    checkChild(container, name, child);
    if (names.has(name)) throw invalidName(container, name, 'it is taken');
    names.add(name);
  }
  const wanted = [...names];
  const inOrderOfFields = Object.keys(Object.fromEntries(wanted.map((name) => [name, true])));
  const moved = inOrderOfFields.find((name, i) => name !== wanted[i]);
  if (moved !== undefined) {
    throw invalidName(
      container,
      moved,
      'JavaScript puts fields that are numbers first, in ascending order, so that the modules would change places',
    );
  }
  for (const [name, child] of pairs) setChild(container, name, child);
}

function checkChild(container: Module, name: string, child: Module): void {
  if (!isModule(child)) {
    throw refusal(
      'OPTION',
      typeName(container),
      `'${name}' is ${typeName(child)}, it must be a Module`,
      'Put a function into a class that extends Module.',
    );
  }
  checkFieldName(container, name, 'module', isModule);
}

/**
 * Refuses a name that a container cannot use for a value.
 *
 * @param isValue - true if an existing value may be replaced
 * @throws {@link ParametrizeError} `INVALID_NAME`
 */
export function checkFieldName(
  container: Module,
  name: string,
  kind: string,
  isValue: (value: unknown) => boolean,
): void {
  if (typeof name !== 'string' || name === '' || name.includes('.')) {
    throw invalidName(container, name, 'names are joined by dots to keys of the state dict', kind);
  }
  // `in` also finds the properties of Object.prototype: __proto__, constructor, toString.
  const taken = name in container && !isValue(Object.getOwnPropertyDescriptor(container, name)?.value);
  if (taken || name === 'parametrizations') {
    throw invalidName(container, name, `a ${typeName(container)} has a property of that name`, kind);
  }
}

const invalidName = (container: Module, name: string, fact: string, kind = 'module'): ParametrizeError =>
  refusal(
    'INVALID_NAME',
    typeName(container),
    `'${String(name)}' cannot be the name of a ${kind}: ${fact}`,
    'Choose another name.',
  );
