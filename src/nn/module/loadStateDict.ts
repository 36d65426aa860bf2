import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import { type ErrorParts, ParametrizeError, refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { assignAll } from '../../engine/assignments.ts';
import { hostValues } from '../../engine/hostValues.ts';
import { alias, scoped } from '../../engine/scope.ts';
import { isAlive } from '../../engine/variable.ts';
import type { KeyMapping } from '../stateDict/keyMapping.ts';
import { loadingRemedies, type ShapeMismatch } from '../stateDict/loadingRemedies.ts';
import { mergeTied, type TiedKeys } from '../stateDict/tiedKeys.ts';
import { everyPath, namedState } from './fields.ts';
import { hooks, type LoadStateDictReport, type StateDict, type StateDictLoading } from './hooks.ts';
import { mergeConverted } from './mergeConverted.ts';
import type { Module } from './module.ts';
import { type FormulaOf, readStateDict } from './readStateDict.ts';
import { tiedKeysOf } from './tiedKeysOf.ts';

/** Options of {@link Module.loadStateDict}. */
export interface LoadStateDictOptions {
  /** True if a missing or unexpected key is an error. Default true. */
  readonly strict?: boolean;
}

/** The error for a state dict that does not fit its module. It lists all problems. */
export class StateDictError extends ParametrizeError {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'StateDictError';

  /** The name of the class. */
  override readonly name: string = 'StateDictError';
  /** The keys of the module that the map lacks. */
  readonly missingKeys: readonly string[];
  /** The keys of the map that the module lacks. */
  readonly unexpectedKeys: readonly string[];

  constructor(parts: ErrorParts, missingKeys: readonly string[], unexpectedKeys: readonly string[]) {
    super('STATE_DICT', parts);
    this.missingKeys = missingKeys;
    this.unexpectedKeys = unexpectedKeys;
  }
}

/** The names of the called function and of the loaded object in messages. */
export interface LoadingNames {
  readonly caller: string;
  readonly what: string;
}

/** What is known of a state dict besides its tensors. */
export interface LoadingFacts extends LoadingNames {
  /** Returns the formula of the parts under the key of a tensor. Default: the one that the names of the parts tell. */
  readonly formulaOf?: FormulaOf | undefined;
}

/**
 * See {@link Module.loadStateDict}.
 *
 * @param ties - the keys of tied tensors; those of a view are the keys of its model
 */
export function loadStateDict(
  module: Module,
  map: StateDict,
  options: LoadStateDictOptions = {},
  { caller, what, formulaOf }: LoadingFacts = { caller: 'loadStateDict', what: 'map' },
  ties: TiedKeys = tiedKeysOf(module),
): LoadStateDictReport {
  checkOptions('loadStateDict', options, ['strict']);
  const { strict = true } = options;
  checkBoolean('loadStateDict', 'strict', strict);
  return scoped('loadStateDict', () => {
    const mapped: KeyMapping[] = [];
    const problems: string[] = [];
    const remedies: string[] = [];
    const mismatches: ShapeMismatch[] = [];
    const explained = new Set<string>();
    const state = new Map(Object.entries(map));
    const merged = mergeTied(state, ties, hasSameNumbers);
    mergeConverted(state, ties, hasSameNumbers, merged);
    const { origins, conflicts } = merged;
    const keyInMap = (key: string): string => origins.get(key) ?? key;
    for (const [one, other] of conflicts) {
      problems.push(`'${one}' and '${other}' are one variable of the module, and two values in the ${what}`);
      remedies.push('Leave one of the two out.');
    }
    // The keys of a shared module are those of its first path now.
    const parts = new Set<Module>();
    for (const [prefix, part] of everyPath(module)) {
      if (parts.has(part)) continue;
      parts.add(part);
      const loading: StateDictLoading = {
        state,
        prefix,
        mapped: ({ from, to, actions }) => void mapped.push({ from: from.map(keyInMap), to, actions }),
        problem: (text, keys = [], remedy = undefined) => {
          problems.push(text);
          if (remedy !== undefined) remedies.push(remedy);
          for (const key of keys) explained.add(key);
        },
      };
      for (const hook of hooks(part, 'loadStateDictPre')) hook(part, loading);
      readStateDict(part, loading, formulaOf);
    }
    const targets = new Map(namedState(module));
    checkAlive(module, targets);
    const isThere = (key: string): boolean => state.has(key) || explained.has(key);
    const there = new Set([...targets].flatMap(([key, variable]) => (isThere(key) ? [variable] : [])));
    const missingKeys = [...targets].flatMap(([key, variable]) => (there.has(variable) ? [] : [key]));
    const unexpectedKeys = [...state.keys()]
      .filter((key) => !targets.has(key) && !explained.has(key))
      .map(keyInMap);
    const writes = new Map<Variable, { key: string; value: Tensor }>();
    for (const [key, variable] of targets) {
      const value: unknown = state.get(key);
      if (value === undefined) continue;
      if (!(value instanceof tf.Tensor)) {
        problems.push(`'${key}' is ${typeName(value)}, not a tensor`);
      } else if (value.isDisposed) {
        problems.push(`'${key}' is a disposed tensor`);
      } else if (!tf.util.arraysEqual(value.shape, variable.shape)) {
        problems.push(
          `'${keyInMap(key)}' has shape ${formatShape(value.shape)} in the ${what} and ${formatShape(variable.shape)} in the module`,
        );
        mismatches.push({ key, from: keyInMap(key) });
      } else {
        const other = writes.get(variable);
        if (other !== undefined && !hasSameNumbers(other.value, value)) {
          problems.push(
            `'${other.key}' and '${key}' are one variable of the module, and two values in the ${what}`,
          );
          remedies.push('Leave one of the two out.');
        }
        // An alias keeps its data while variables are written, because the new value of a variable may be another
        // variable.
        const own = value.dtype === variable.dtype ? alias(value) : tf.cast(value, variable.dtype);
        writes.set(variable, { key, value: own });
      }
    }
    const hasOthers = problems.length > mismatches.length;
    if (strict && missingKeys.length > 0) problems.push(`missing: ${missingKeys.join(', ')}`);
    if (strict && unexpectedKeys.length > 0) problems.push(`unexpected: ${unexpectedKeys.join(', ')}`);
    if (problems.length > 0) {
      throw new StateDictError(
        {
          caller,
          fact: `the ${what} does not fit ${typeName(module)}: ${problems.join('; ')}. Nothing was loaded`,
          remedy: loadingRemedies({
            missingKeys,
            unexpectedKeys,
            isStrict: strict,
            mismatches,
            hasOthers,
            remedies,
            state,
            found: there.size,
          }),
        },
        missingKeys,
        unexpectedKeys,
      );
    }
    assignAll([...writes].map(([variable, { value }]) => [variable, value]));
    return { mapped, missingKeys, unexpectedKeys };
  });
}

/**
 * True if two values are known to be equal: they are one tensor, or their numbers are equal and can be read without
 * waiting.
 */
function hasSameNumbers(a: unknown, b: unknown): boolean {
  if (!(a instanceof tf.Tensor && b instanceof tf.Tensor) || a.isDisposed || b.isDisposed) return a === b;
  if (!tf.util.arraysEqual(a.shape, b.shape)) return false;
  if (a.dataId === b.dataId) return true;
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return false;
  const [left, right] = [hostValues(a), hostValues(b)];
  return left !== null && right !== null && tf.util.arraysEqual(bitsOf(left), bitsOf(right));
}

// Numbers are compared as bits, so NaN equals itself.
const bitsOf = (numbers: ArrayLike<number>): Int32Array => new Int32Array(Float32Array.from(numbers).buffer);

function checkAlive(module: Module, targets: ReadonlyMap<string, Variable>): void {
  for (const [key, variable] of targets) {
    if (isAlive(variable)) continue;
    throw refusal(
      'DISPOSED',
      'loadStateDict',
      `'${key}' of this ${typeName(module)} has been disposed`,
      'Make a new module, or dispose it later.',
    );
  }
}
