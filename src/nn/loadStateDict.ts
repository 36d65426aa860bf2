import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { scoped } from '../engine/scope.ts';
import { formatShape, ParametrizeError, typeName } from '../errors.ts';
import { namedState } from './fields.ts';
import { hooks, type KeyMapping, type LoadStateDictReport, type StateDict } from './hooks.ts';
import type { Module } from './module.ts';

/** A state dict that does not fit its module: every problem at once. */
export class StateDictError extends ParametrizeError {
  override readonly name: string = 'StateDictError';
  /** Keys of the module that the map lacks. */
  readonly missingKeys: readonly string[];
  /** Keys of the map that the module lacks. */
  readonly unexpectedKeys: readonly string[];

  constructor(message: string, missingKeys: readonly string[], unexpectedKeys: readonly string[]) {
    super('STATE_DICT', message);
    this.missingKeys = missingKeys;
    this.unexpectedKeys = unexpectedKeys;
  }
}

/** See {@link Module.loadStateDict}. */
export function loadStateDict(module: Module, map: StateDict, strict: boolean): LoadStateDictReport {
  return scoped('loadStateDict', () => {
    const mapped: KeyMapping[] = [];
    const state = new Map(Object.entries(map));
    runPreHooks(module, '', state, mapped);

    const targets = new Map(namedState(module, ''));
    const missingKeys = [...targets.keys()].filter((key) => !state.has(key));
    const unexpectedKeys = [...state.keys()].filter((key) => !targets.has(key));
    const problems: string[] = [];
    const writes: [Variable, Tensor][] = [];
    for (const [key, variable] of targets) {
      const value: unknown = state.get(key);
      if (value === undefined) continue;
      if (!(value instanceof tf.Tensor)) {
        problems.push(`'${key}' is ${typeName(value)}, not a tensor`);
      } else if (value.isDisposed) {
        problems.push(`'${key}' is a disposed tensor`);
      } else if (!tf.util.arraysEqual(value.shape, variable.shape)) {
        problems.push(
          `'${key}' has shape ${formatShape(value.shape)} in the map and ${formatShape(variable.shape)} in the module`,
        );
      } else {
        writes.push([variable, value.dtype === variable.dtype ? value : tf.cast(value, variable.dtype)]);
      }
    }
    if (strict && missingKeys.length > 0) problems.push(`missing: ${missingKeys.join(', ')}`);
    if (strict && unexpectedKeys.length > 0) problems.push(`unexpected: ${unexpectedKeys.join(', ')}`);
    if (problems.length > 0) {
      throw new StateDictError(
        `loadStateDict: the map does not fit ${typeName(module)}: ${problems.join('; ')}. Nothing was loaded.${
          strict ? ' Pass { strict: false } to allow missing and unexpected keys.' : ''
        }`,
        missingKeys,
        unexpectedKeys,
      );
    }
    for (const [variable, value] of writes) variable.assign(value);
    return { mapped, missingKeys, unexpectedKeys };
  });
}

function runPreHooks(module: Module, prefix: string, state: Map<string, Tensor>, mapped: KeyMapping[]): void {
  for (const { hook } of hooks(module, 'loadStateDictPre') ?? []) {
    hook(module, { state, prefix, mapped: (mapping) => void mapped.push(mapping) });
  }
  for (const [name, child] of module.namedChildren()) runPreHooks(child, `${prefix}${name}.`, state, mapped);
}
