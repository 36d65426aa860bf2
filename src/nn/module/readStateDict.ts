import type { Tensor } from '@tensorflow/tfjs-core';
import { factOf, ParametrizeError } from '../../core/errors.ts';
import { knownHookKeys } from '../stateDict/hookKeys.ts';
import type { KeyAction } from '../stateDict/keyMapping.ts';
import { keyIn } from '../stateDict/stateKeys.ts';
import { fieldsOf } from './fields.ts';
import type { StateDictLoading } from './hooks.ts';
import type { Module } from './module.ts';
import { type NormalizedTensor, normalizedTensors, tieOf } from './normalizedTensor.ts';
import { type StateDictTensor, stateDictTensors } from './stateDictTensor.ts';

/**
 * Returns how the parts of a tensor in a state dict make its value, by the key of the tensor: the kind of a hook of the
 * older API; null for any other way; undefined if it is not known.
 */
export type FormulaOf = (key: string) => string | null | undefined;

/**
 * Reads the values in a map for the own tensors of a module, one by one. A value is renamed if map and module have the
 * same normalization; otherwise it is computed.
 */
export function readStateDict(
  module: Module,
  loading: StateDictLoading,
  formulaOf: FormulaOf = () => undefined,
): void {
  // The state of a tied tensor is that of its source.
  const tensors = normalizedTensors(module).filter(({ list }) => tieOf(list) === undefined);
  const ofChains = new Set(tensors.flatMap(({ state }) => state.map(([, variable]) => variable)));
  for (const tensor of tensors) read(module, tensor, loading, formulaOf);
  for (const [name, variable] of fieldsOf(module).variables) {
    if (!ofChains.has(variable)) read(module, { name, state: null }, loading, formulaOf);
  }
}

/** A tensor that is not parametrized. */
interface PlainTensor {
  readonly name: string;
  readonly state: null;
}

function read(
  module: Module,
  tensor: NormalizedTensor | PlainTensor,
  loading: StateDictLoading,
  formulaOf: FormulaOf,
): void {
  const { state, prefix, mapped, problem } = loading;
  const { name } = tensor;
  const keys =
    tensor.state === null ? [name] : tensor.state.map(([modern]) => keyIn(tensor, modern, tensor.isHooked));
  const isThere = keys.every((key) => state.has(prefix + key));
  const formula = formulaOf(prefix + name);
  const ownKeys = tensor.state === null ? null : tensor.hookKeys;
  const own = ownKeys?.kind ?? null;
  const stated = knownHookKeys().find(({ kind }) => kind === formula);
  // Other maps have parts with the same names.
  const isOwn = formula === undefined || formula === own;
  const found = stateDictTensors(state, prefix, name, module, stated ?? ownKeys).filter(
    // A value under the key of the module is taken unchanged, unless it is a part of another tensor.
    (stored) =>
      !(sameKeys(stored.keys, keys) && (isOwn || stored.hookKeys === null)) &&
      (!isThere || keys.every((key) => stored.keys.includes(key))),
  );
  const [source, other] = found;
  if (source === undefined) return;
  const { hookKeys } = source;
  if (hookKeys !== null && formula !== undefined && formula !== hookKeys.kind) {
    problem(
      `the parts of '${prefix}${name}' belong to another map than ${hookKeys.kind}`,
      [...source.keys, ...keys].map((key) => prefix + key),
      "Load the file with a catalog into a plain tensor, register the same map first, or save the file with { keyFormat: 'folded' }.",
    );
    return;
  }
  if (other !== undefined) {
    const texts = found.map((stored) => stored.keys.join(' + ')).join(' and ');
    problem(
      `'${prefix}${name}' is there in several key formats: ${texts}`,
      [
        ...found.flatMap((stored) => stored.keys.map((key) => prefix + key)),
        ...keys.map((key) => prefix + key),
      ],
      'Leave all but one of them out.',
    );
    return;
  }
  try {
    const { values, actions } = convert(source, tensor, `'${prefix}${name}'`);
    for (const key of source.keys) state.delete(prefix + key);
    for (const [i, key] of keys.entries()) state.set(prefix + key, values[i]!);
    mapped({
      from: source.keys.map((key) => prefix + key),
      to: keys.map((key) => prefix + key),
      actions,
    });
  } catch (error) {
    if (!(error instanceof ParametrizeError)) throw error;
    // The remedy differs from the remedy for assignments.
    problem(
      factOf(error),
      [...source.keys, ...keys].map((key) => prefix + key),
      remedyFor(error),
    );
  }
}

function remedyFor({ code, caller, remedy }: ParametrizeError): string | undefined {
  if (code === 'RIGHT_INVERSE') {
    return 'Add a rightInverse, or load the originals: save the module as it is, in the key format modern.';
  }
  if (code !== 'SHAPE') return remedy;
  return caller === undefined
    ? 'Save all parts of a weight from one module.'
    : 'Make the module with the shapes of the map.';
}

interface Conversion {
  /** The values in the order of the keys of the module. */
  readonly values: readonly Tensor[];
  readonly actions: readonly KeyAction[];
}

function convert(source: StateDictTensor, tensor: NormalizedTensor | PlainTensor, label: string): Conversion {
  if (tensor.state === null) return { values: [source.value()], actions: source.actions };
  const { list, hookKeys, state } = tensor;
  if (hookKeys !== null && source.hookKeys === hookKeys) {
    const { parts } = source;
    return { values: state.map(([modern]) => parts[modern]!), actions: [{ kind: 'rename' }] };
  }
  const value = source.value();
  const actions: KeyAction[] = [...source.actions, { kind: 'invert' }];
  const variables = state.map(([, variable]) => variable);
  return { values: list.stateFor(label, value, variables), actions };
}

const sameKeys = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((key) => b.includes(key));
