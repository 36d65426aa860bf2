import type { Variable } from '@tensorflow/tfjs-core';
import { hookSpecOf } from '../../legacy/hookAttachment.ts';
import { namedState } from '../../nn/module/fields.ts';
import type { Module } from '../../nn/module/module.ts';
import { SpectralNorm } from '../../parametrizations/spectralNorm.ts';
import { WeightNorm } from '../../parametrizations/weightNorm.ts';
import type { ParametrizationList } from '../../parametrize/parametrizationList.ts';
import { registrationsOf } from '../../parametrize/registry.ts';
import { type Normalization, partsOf } from './normalization.ts';

/** A parametrized tensor of a module, as state dicts see it. */
export interface NormalizedTensor {
  /** The name of the tensor in its module. */
  readonly name: string;
  readonly list: ParametrizationList;
  /** What the old names are for; null for a chain that they do not know. */
  readonly normalization: Normalization | null;
  /** Whether the hook API put it there, so that its variables are fields of the module. */
  readonly isHooked: boolean;
  /** Its variables: the modern name below `parametrizations.<name>.`, and the variable. */
  readonly state: readonly [string, Variable][];
}

/** The parametrized tensors of a module, not of those below it. */
export const normalizedTensors = (module: Module): NormalizedTensor[] =>
  [...registrationsOf(module)].map(([name, { list }]) => {
    const state = namedState(list);
    return {
      name,
      list,
      normalization: normalizationOf(list, state),
      isHooked: hookSpecOf(module, name) !== undefined,
      state,
    };
  });

function normalizationOf(
  list: ParametrizationList,
  state: readonly (readonly [string, Variable])[],
): Normalization | null {
  if (list.length !== 1) return null;
  const has = (normalization: Normalization): boolean => {
    const names = partsOf(normalization);
    // Without the vectors of a vector, or with an original that is parametrized itself, the old names do not suffice.
    return state.length === names.length && state.every(([key]) => names.includes(key));
  };
  if (list[0] instanceof WeightNorm && has('weightNorm')) return 'weightNorm';
  return list[0] instanceof SpectralNorm && has('spectralNorm') ? 'spectralNorm' : null;
}
