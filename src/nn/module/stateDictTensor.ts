import type { Tensor } from '@tensorflow/tfjs-core';
import { ParametrizeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { distinctHookKeys, type HookKeys, knownHookKeys, type Parts } from '../stateDict/hookKeys.ts';
import type { KeyAction } from '../stateDict/keyMapping.ts';
import { keyIn, keysIn, partsOf } from '../stateDict/stateKeys.ts';
import { tensorArithmetic } from '../stateDict/tensorArithmetic.ts';
import { outputAxis } from './outputAxis.ts';

/** One tensor of a module in a state dict, in one key format. */
export interface StateDictTensor {
  /** The keys of the tensor, without the path of the module. */
  readonly keys: readonly string[];
  /** The names of its parts; null for a plain tensor. */
  readonly hookKeys: HookKeys | null;
  /** The values under the keys, by the modern names. */
  readonly parts: Parts<Tensor>;
  /** The actions that compute {@link value}; empty for a plain tensor. */
  readonly actions: readonly KeyAction[];
  /**
   * Returns the value of the tensor.
   *
   * @throws {@link ParametrizeError} `SHAPE` if the parts do not fit each other
   */
  value(): Tensor;
}

/**
 * Finds the values of a tensor of a module in a state dict, in every key format that is complete.
 *
 * @param preferred - the names of the parts of the tensor in the module or by a recipe, or null
 */
export function stateDictTensors(
  state: ReadonlyMap<string, Tensor>,
  prefix: string,
  name: string,
  module: object,
  preferred: HookKeys | null = null,
): StateDictTensor[] {
  const found: StateDictTensor[] = [];
  for (const isLegacy of [false, true]) {
    for (const hookKeys of distinctHookKeys(preferred)) {
      const parts = partsIn(state, prefix, name, hookKeys, isLegacy);
      if (Object.keys(parts).length < partsOf(hookKeys).length) continue;
      found.push({
        keys: keysIn(name, hookKeys, isLegacy),
        hookKeys,
        parts,
        actions: [{ kind: 'fold', by: hookKeys.kind }],
        value: () => valueOf(prefix + name, parts, hookKeys, module),
      });
    }
  }
  const value = state.get(prefix + name);
  if (value === undefined) return found;
  const older = knownHookKeys().flatMap((hookKeys) => {
    const parts = partsIn(state, prefix, name, hookKeys, true);
    const missing = partsOf(hookKeys).filter((part) => parts[part] === undefined);
    const isOlder = hookKeys.unsaved !== undefined && String(missing) === partsOf(hookKeys).at(-1);
    return isOlder ? [withUnsaved(prefix + name, name, parts, value, hookKeys, module)] : [];
  });
  const plain = { keys: [name], hookKeys: null, parts: {}, actions: [], value: () => value };
  return [...found, ...(older.length === 0 ? [plain] : older)];
}

/** Returns the existing parts of a tensor. */
function partsIn(
  state: ReadonlyMap<string, Tensor>,
  prefix: string,
  name: string,
  hookKeys: HookKeys,
  isLegacy: boolean,
): Parts<Tensor> {
  const entries = partsOf(hookKeys).map(
    (part) => [part, state.get(prefix + keyIn({ name, hookKeys }, part, isLegacy))] as const,
  );
  return Object.fromEntries(entries.filter((entry): entry is [string, Tensor] => entry[1] !== undefined));
}

/** Completes a tensor that an older version has saved with its value instead of one part. */
function withUnsaved(
  key: string,
  name: string,
  parts: Parts<Tensor>,
  value: Tensor,
  hookKeys: HookKeys,
  module: object,
): StateDictTensor {
  const { fits, from } = hookKeys.unsaved!;
  if (!fits(parts, value)) throw misfit(key, { ...parts, value }, hookKeys);
  const unsaved = from(parts, value, tensorArithmetic, outputAxis(module, value));
  const keys = Object.keys(parts).map((there) => keyIn({ name, hookKeys }, there, true));
  return {
    keys: [...keys, name],
    hookKeys,
    parts: { ...parts, [partsOf(hookKeys).at(-1)!]: unsaved },
    actions: [],
    value: () => value,
  };
}

function valueOf(key: string, parts: Parts<Tensor>, hookKeys: HookKeys, module: object): Tensor {
  if (!hookKeys.fits(parts)) throw misfit(key, parts, hookKeys);
  return hookKeys.value(parts, tensorArithmetic, outputAxis(module, parts[hookKeys.whole]!));
}

function misfit(key: string, parts: Parts<Tensor>, { suffixes }: HookKeys): ParametrizeError {
  const shapes = Object.entries(parts).map(
    ([part, { shape }]) => `${suffixes[part]?.slice(1) ?? part} has shape ${formatShape(shape)}`,
  );
  return new ParametrizeError('SHAPE', {
    fact: `the parts of '${key}' do not fit each other: ${shapes.join(', ')}`,
  });
}
