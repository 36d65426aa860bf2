import type { Variable } from '@tensorflow/tfjs-core';
import { isVariable } from '../engine/variable.ts';
import { ParametrizeError, typeName } from '../errors.ts';
import type { Module } from './module.ts';
import { isBuffer } from './parameter.ts';

/** The mark that every module carries, in whatever copy of this package its class stands. */
export const MODULE: unique symbol = Symbol.for('tfjs-parametrize.Module') as never;

/** True for a module, also one of another copy of this package. */
export const isModule = (value: unknown): value is Module =>
  typeof value === 'object' && value !== null && MODULE in value;

/** The own tensors and modules of a module. */
export interface Fields {
  readonly variables: [string, Variable][];
  readonly children: [string, Module][];
}

/** Sorts the own enumerable fields of a module into variables and children, in field order. */
export function fieldsOf(module: Module): Fields {
  const fields: Fields = { variables: [], children: [] };
  for (const [name, value] of Object.entries(module)) {
    if (isVariable(value)) fields.variables.push([name, value]);
    else if (isModule(value)) fields.children.push([name, value]);
    else if (Array.isArray(value) && value.some(isModule)) {
      throw new ParametrizeError(
        'UNREGISTERED_MODULE',
        `${typeName(module)}: the field '${name}' is an array of modules, which would be neither trained nor saved. Use new ModuleList([…]).`,
      );
    }
  }
  return fields;
}

/** The entries of the state dict below a prefix: own parameters, own buffers, children, as torch orders them. */
export function namedState(module: Module, prefix: string): [string, Variable][] {
  const { variables, children } = fieldsOf(module);
  const entry = ([name, variable]: [string, Variable]): [string, Variable] => [prefix + name, variable];
  return [
    ...variables.filter(([, variable]) => !isBuffer(variable)).map(entry),
    ...variables.filter(([, variable]) => isBuffer(variable)).map(entry),
    ...children.flatMap(([name, child]) => namedState(child, `${prefix}${name}.`)),
  ];
}
