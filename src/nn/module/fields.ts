import type { Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../../core/errors.ts';
import { joinPath } from '../../core/paths.ts';
import { typeName } from '../../core/text.ts';
import { isKept } from '../../engine/scope.ts';
import { isVariable } from '../../engine/variable.ts';
import { dropAssigned, holdVariable, takeAssigned } from './heldVariables.ts';
import { checkIntegrity } from './integrityCheck.ts';
import type { Module } from './module.ts';
import { isBuffer } from './parameter.ts';
import { rawOf } from './rawOf.ts';

/** The mark of every module, in all copies of this package. */
export const MODULE: unique symbol = Symbol.for('tfjs-parametrize.Module') as never;

/** True for a module of any copy of this package. */
export const isModule = (value: unknown): value is Module =>
  typeof value === 'object' && value !== null && MODULE in value;

/** The own tensors and modules of a module. */
export interface Fields {
  readonly variables: [string, Variable][];
  readonly children: [string, Module][];
}

/** The modules whose fields have been inspected. */
const seen = new WeakSet<Module>();

/** Inspects a module: copies tensors that were assigned to its fields; see {@link fieldsOf}. */
export function lookAt<M extends Module>(module: M): M {
  takeAssigned(module);
  if (!seen.has(module)) lookFirst(module);
  return module;
}

/** Returns the fields of a module before its disposal, ignoring assigned tensors. */
export function lastFieldsOf(module: Module): Fields {
  dropAssigned(module);
  seen.add(module);
  return fieldsOf(module);
}

/**
 * Sorts the own enumerable fields of a module into variables and children, in field order. First copies tensors that
 * were assigned to such fields into their variables.
 *
 * @throws {@link ParametrizeError} `UNREGISTERED_MODULE`; `SHAPE`, `DTYPE` or `DISPOSED` for an assigned tensor;
 * `NOT_A_VARIABLE` at the first inspection for a tensor that is neither a variable nor kept
 */
export function fieldsOf(host: Module): Fields {
  const module = rawOf(host);
  takeAssigned(module);
  if (!seen.has(module)) lookFirst(module);
  const fields: Fields = { variables: [], children: [] };
  for (const [name, value] of Object.entries(module)) {
    if (isVariable(value)) {
      holdVariable(module, name, value);
      fields.variables.push([name, value]);
    } else if (isModule(value)) fields.children.push([name, rawOf(value)]);
    else if (Array.isArray(value) && value.some(isModule)) {
      throw refusal(
        'UNREGISTERED_MODULE',
        typeName(module),
        `the field '${name}' is an array of modules, which would be neither trained nor saved`,
        'Use new ModuleList([…]).',
      );
    }
  }
  return fields;
}

/** Notes the fields with variables, before anything is assigned to them. */
function lookFirst(module: Module): void {
  for (const [name, value] of Object.entries(module)) {
    if (isVariable(value)) holdVariable(module, name, value);
    else if (value instanceof tf.Tensor && !isKept(value)) {
      throw refusal(
        'NOT_A_VARIABLE',
        typeName(module),
        `the field '${name}' is a plain tensor, which would be neither trained nor saved`,
        'Assign parameter(tensor) or buffer(tensor), or load values with loadStateDict; tf.keep marks a tensor that is to be neither.',
      );
    }
  }
  seen.add(module);
}

/** Returns a module and all below, each once, parents first, with the first of its paths. */
export function everyModule(root: Module): [path: string, module: Module][] {
  const found = new Map<Module, string>();
  const walk = (module: Module, path: string): void => {
    if (found.has(module)) return;
    checkIntegrity(module);
    found.set(module, path);
    for (const [name, child] of module.namedChildren()) walk(child, joinPath(path, name));
  };
  walk(rawOf(root), '');
  return [...found].map(([module, path]) => [path, module]);
}

/**
 * Returns a module and all below by the prefixes of their keys, parents first. A shared module comes once for each of
 * its paths.
 *
 * @throws {@link ParametrizeError} `CYCLE` if a module is below itself, because it would have infinitely many paths
 */
export function everyPath(root: Module): [prefix: string, module: Module][] {
  const walk = (module: Module, prefix: string, above: readonly Module[]): [string, Module][] => {
    if (above.includes(module)) {
      throw refusal(
        'CYCLE',
        'stateDict',
        `'${prefix.slice(0, -1)}' of this ${typeName(root)} is a ${typeName(module)} that is below itself, the keys of its state would have no end`,
        'Hold what points back in a closure or an object: { parent }.',
      );
    }
    checkIntegrity(module);
    const below = fieldsOf(module).children.flatMap(([name, child]) =>
      walk(child, `${prefix}${name}.`, [...above, module]),
    );
    return [[prefix, module], ...below];
  };
  return walk(rawOf(root), '', []);
}

/** Returns the entries of the state dict in torch's order: own parameters, own buffers, children. */
export function namedState(root: Module): [string, Variable][] {
  return everyPath(root).flatMap(([prefix, module]) => {
    const { variables } = fieldsOf(module);
    const parameters = variables.filter(([, variable]) => !isBuffer(variable));
    const buffers = variables.filter(([, variable]) => isBuffer(variable));
    return [...parameters, ...buffers].map(([name, variable]): [string, Variable] => [
      prefix + name,
      variable,
    ]);
  });
}

/** Returns the selected variables of a module and all below, each once, with the first of its keys. */
export function namedVariables(root: Module, wanted: (variable: Variable) => boolean): [string, Variable][] {
  const found = new Map<Variable, string>();
  for (const [path, module] of root.namedModules()) {
    for (const [name, variable] of fieldsOf(module).variables) {
      if (wanted(variable) && !found.has(variable)) found.set(variable, joinPath(path, name));
    }
  }
  return [...found].map(([variable, name]) => [name, variable]);
}

/**
 * True if the field holds a tensor. A computed property is not read: its value may be costly, may change state, and
 * would belong to the reader.
 */
export function holdsTensor(module: Module, name: string): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(module, name);
  return descriptor !== undefined && (descriptor.get !== undefined || descriptor.value instanceof tf.Tensor);
}

/** Returns the variables in the fields of a module. */
export const variablesIn = (module: Module): Variable[] =>
  fieldsOf(module).variables.map(([, variable]) => variable);
