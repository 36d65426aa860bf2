import type { Tensor } from '@tensorflow/tfjs-core';
import { keysIn, type Normalization, normalizationNames, normalizations, partsOf } from './normalization.ts';
import { rightVectorOf, valueOfParts } from './valueOfParts.ts';

/** One tensor of a module as a state dict has it, in one key format. */
export interface StateDictTensor {
  /** Its keys, without the path of the module. */
  readonly keys: readonly string[];
  /** Its normalization; null for a plain tensor. */
  readonly normalization: Normalization | null;
  /** The values under the keys, by the modern names. */
  readonly parts: Readonly<Record<string, Tensor>>;
  /** A short text that says how {@link value} is computed. */
  readonly rule: string;
  /**
   * The value of the tensor.
   *
   * @throws {@link ParametrizeError} `SHAPE` if the parts do not fit each other
   */
  value(): Tensor;
}

/** Returns the forms in which a state dict has one tensor of a module: one for each complete key format. */
export function stateDictTensors(
  state: ReadonlyMap<string, Tensor>,
  prefix: string,
  name: string,
  module: object,
): StateDictTensor[] {
  const found: StateDictTensor[] = [];
  for (const isLegacy of [false, true]) {
    for (const normalization of normalizationNames) {
      const keys = keysIn(name, normalization, isLegacy);
      const there = keys.map((key) => state.get(prefix + key));
      if (there.includes(undefined)) continue;
      const parts = Object.fromEntries(partsOf(normalization).map((part, i) => [part, there[i]!]));
      found.push({
        keys,
        normalization,
        parts,
        rule: normalizations[normalization].rule,
        value: () => valueOfParts[normalization](prefix + name, parts, module),
      });
    }
  }
  const plain = state.get(prefix + name);
  const [originalKey, leftKey, rightKey] = keysIn(name, 'spectralNorm', true) as [string, string, string];
  const [original, u] = [originalKey, leftKey].map((key) => state.get(prefix + key));
  if (plain !== undefined && original !== undefined && u !== undefined && !state.has(prefix + rightKey)) {
    // Torch before 1.0 saved the value instead of the right vector.
    found.push({
      keys: [originalKey, leftKey, name],
      normalization: 'spectralNorm',
      parts: { original, '0._u': u, '0._v': rightVectorOf(prefix + name, original, u, plain, module) },
      rule: 'as it is',
      value: () => plain,
    });
  } else if (plain !== undefined) {
    found.push({ keys: [name], normalization: null, parts: {}, rule: 'as it is', value: () => plain });
  }
  return found;
}
