import type { NamedTensorMap } from '@tensorflow/tfjs-core';
import { knownHookKeys } from '../../nn/stateDict/hookKeys.ts';
import { legacyKey, modernKey } from '../../nn/stateDict/stateKeys.ts';
import { type VectorNote, vectorNote } from '../metadata/checkpointNote.ts';
import type { Selection } from './selectState.ts';

/**
 * Returns notes about singular vectors that are not unit vectors.
 *
 * @param tensors - the tensors by key; disposed tensors were not read
 */
export async function vectorNotes(tensors: NamedTensorMap, { keys }: Selection): Promise<VectorNote[]> {
  const notes: VectorNote[] = [];
  for (const [key, tensor] of Object.entries(tensors)) {
    if (tensor.isDisposed || tensor.rank !== 1 || !isVector(key, tensors)) continue;
    const note = vectorNote(keys.get(key) ?? key, await tensor.data());
    if (note !== null) notes.push(note);
  }
  return notes;
}

/** True if a key belongs to a unit vector: `0._u` of a parametrization, or `weight_u` beside `weight_orig`. */
function isVector(key: string, tensors: NamedTensorMap): boolean {
  const modern = modernKey(key);
  const { prefix, name, part } = legacyKey(key);
  return knownHookKeys().some(({ suffixes, whole, unitVectors = [] }) =>
    modern !== null
      ? unitVectors.includes(modern.part)
      : unitVectors.some((vector) => suffixes[vector] === part) && prefix + name + suffixes[whole] in tensors,
  );
}
