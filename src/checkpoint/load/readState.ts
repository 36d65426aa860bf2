import type { io, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { openCheckpoint } from '../file/openCheckpoint.ts';
import { formatNamed } from '../formats/formats.ts';
import type { TorchOptions } from '../formats/torch/torchOptions.ts';
import type { VectorNote } from '../metadata/checkpointNote.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { isIOHandler, loadArtifacts, loadHandlerFor, schemeOf } from '../source/ioHandler.ts';
import { checkRivals } from './checkRivals.ts';
import type { Selection } from './selectState.ts';
import { type StoredNames, storedNames } from './storedNames.ts';
import { vectorNotes } from './vectorNotes.ts';

/** The state dict of a file. */
export interface StoredState {
  /** Its tensors by key; tied ones are one. */
  readonly tensors: NamedTensorMap;
  readonly metadata: Readonly<Record<string, string>>;
  readonly selection: Selection;
  /** Classes and functions of Python in the file that are inert records. */
  readonly placeholders: readonly string[];
  /** Singular vectors in it that are no unit vectors. */
  readonly notes: readonly VectorNote[];
}

/** The keys that a model may ask a file for. */
export interface Asked {
  /** True if it asks for a key, in whatever key format. */
  isAsked(key: string): boolean;
  /** True if it asks for no others, as a model may that renames keys itself. */
  readonly isAll: boolean;
}

/**
 * Reads what is selected of a source. What the model does not ask for is not read, and a disposed tensor has its key.
 *
 * @remarks
 * **Ownership**: the tensors are the caller's.
 */
export async function readState(
  source: CheckpointSource | io.IOHandler,
  options: OpenOptions & TorchOptions,
  select: (stored: StoredNames) => Promise<Selection>,
  asked: Asked,
): Promise<StoredState> {
  const scheme = schemeOf(source);
  if (scheme !== null || isIOHandler(source)) {
    const handler = isIOHandler(source) ? source : loadHandlerFor(source as string);
    const { tensors: all, metadata } = await loadArtifacts(handler);
    try {
      const shapeOf = (name: string): readonly number[] => all[name]!.shape;
      const names = Object.keys(all);
      const stored = storedNames({ names, ties: [], metadata, isInOrder: true, shapeOf });
      const selection = await select(stored);
      const tensorOf = (name: string): Tensor => all[stored.identityOf(name)]!.clone();
      await checkRivals(selection, async (name) => tensorOf(name));
      const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [key, tensorOf(name)]);
      const map = Object.fromEntries(tensors);
      const notes = await vectorNotes(map, selection);
      return { tensors: map, metadata, selection, placeholders: [], notes };
    } finally {
      tf.dispose(all);
    }
  }
  const file = await openCheckpoint('loadCheckpoint', source as CheckpointSource, options);
  try {
    const stored = storedNames({
      names: file.names,
      ties: file.ties,
      metadata: file.metadata,
      isInOrder: formatNamed(file.format).keepsOrder,
      shapeOf: (name) => file.info(name).shape,
    });
    const selection = await select(stored);
    await checkRivals(selection, (name) => file.tensor(stored.identityOf(name)));
    const loaded = new Map<string, Tensor>();
    try {
      for (const [key, name] of selection.keys) {
        const one = stored.identityOf(name);
        const tensor = loaded.has(one) ? undefined : await tensorFor(file, one, key, asked);
        if (tensor !== undefined) loaded.set(one, tensor);
      }
    } catch (error) {
      tf.dispose([...loaded.values()]);
      throw error;
    }
    const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [
      key,
      loaded.get(stored.identityOf(name)) ?? unread(),
    ]);
    const { metadata, placeholders } = file;
    const map = Object.fromEntries(tensors);
    const notes = await vectorNotes(map, selection);
    return { tensors: map, metadata, selection, placeholders, notes };
  } finally {
    await file.close();
  }
}

/** The tensor of a name; undefined for one that nobody asks for and that is not read, or cannot be. */
async function tensorFor(
  file: CheckpointFile,
  name: string,
  key: string,
  { isAsked, isAll }: Asked,
): Promise<Tensor | undefined> {
  if (isAsked(key)) return file.tensor(name);
  if (isAll) return undefined;
  try {
    return await file.tensor(name);
  } catch (error) {
    const isOfNoUse = error instanceof CheckpointError && ['DTYPE', 'UNSUPPORTED'].includes(error.code);
    if (isOfNoUse) return undefined;
    throw error;
  }
}

/** Stands for a tensor that is not read: its key is unexpected, whoever uses it gets an error. */
function unread(): Tensor {
  const tensor = tf.scalar(0);
  tensor.dispose();
  return tensor;
}
