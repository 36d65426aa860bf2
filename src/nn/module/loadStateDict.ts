import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { alias, scoped } from '../../engine/scope.ts';
import { isAlive } from '../../engine/variable.ts';
import { formatShape, ParametrizeError, typeName } from '../../errors.ts';
import { readStateDict } from '../spelling/readStateDict.ts';
import { everyPath, namedState } from './fields.ts';
import {
  hooks,
  type KeyMapping,
  type LoadStateDictReport,
  type StateDict,
  type StateDictLoading,
} from './hooks.ts';
import type { Module } from './module.ts';

/** Options of {@link Module.loadStateDict}. */
export interface LoadStateDictOptions {
  /** Whether a missing or unexpected key is an error. Default true. */
  readonly strict?: boolean;
}

/** A state dict that does not fit its module: every problem at once. */
export class StateDictError extends ParametrizeError {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'StateDictError';

  /** The name of the class. */
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
    const problems: string[] = [];
    const explained = new Set<string>();
    const state = new Map(Object.entries(map));
    for (const [prefix, part] of everyPath(module)) {
      const loading: StateDictLoading = {
        state,
        prefix,
        mapped: (mapping) => void mapped.push(mapping),
        problem: (text, keys = []) => {
          problems.push(text);
          for (const key of keys) explained.add(key);
        },
      };
      for (const hook of hooks(part, 'loadStateDictPre')) hook(part, loading);
      readStateDict(part, loading);
    }
    const targets = new Map(namedState(module));
    checkAlive(module, targets);
    const missingKeys = [...targets.keys()].filter((key) => !state.has(key) && !explained.has(key));
    const unexpectedKeys = [...state.keys()].filter((key) => !targets.has(key) && !explained.has(key));
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
        // An alias keeps its data while the variables are written, some of which may be the values of others.
        writes.push([
          variable,
          value.dtype === variable.dtype ? alias(value) : tf.cast(value, variable.dtype),
        ]);
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

function checkAlive(module: Module, targets: ReadonlyMap<string, Variable>): void {
  for (const [key, variable] of targets) {
    if (isAlive(variable)) continue;
    throw new ParametrizeError(
      'DISPOSED',
      `loadStateDict: '${key}' of this ${typeName(module)} has been disposed. Make a new module, or dispose it later.`,
    );
  }
}
