import type { io, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { loadArtifacts, loadHandlerFor } from '../source/ioHandler.ts';
import { checkRivals } from './checkRivals.ts';
import type { Asked, StoredState } from './readState.ts';
import type { Selection } from './selectState.ts';
import { type StoredNames, storedNames } from './storedNames.ts';
import { vectorNotes } from './vectorNotes.ts';

/**
 * Reads the selected tensors of a model that `tf.io` loads.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller.
 */
export async function readArtifacts(
  source: string | io.IOHandler,
  select: (stored: StoredNames) => Promise<Selection>,
  asked: Asked,
): Promise<StoredState> {
  const handler = typeof source === 'string' ? loadHandlerFor(source) : source;
  const { tensors: all, metadata } = await loadArtifacts(handler);
  try {
    const shapeOf = (name: string): readonly number[] => all[name]!.shape;
    const names = Object.keys(all);
    const stored = storedNames({ names, ties: [], metadata, isInOrder: true, shapeOf });
    const selection = await select(stored);
    const tensorOf = (name: string): Tensor => all[stored.identityOf(name)]!.clone();
    await checkRivals(selection, async (name) => tensorOf(name));
    const wanted = asked.others?.(metadata, (name) => Object.hasOwn(all, name)) ?? [];
    const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [key, tensorOf(name)]);
    const others = Object.fromEntries(wanted.map((name) => [name, all[name]!.clone()]));
    const map = Object.fromEntries(tensors);
    const notes = await vectorNotes(map, selection);
    return { tensors: map, metadata, selection, placeholders: [], notes, others };
  } finally {
    tf.dispose(all);
  }
}
