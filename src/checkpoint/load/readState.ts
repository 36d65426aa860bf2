import type { io, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { CheckpointError } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import { openCheckpoint } from '../file/openCheckpoint.ts';
import { formatNamed } from '../formats/formats.ts';
import type { TorchOptions } from '../formats/torch/torchOptions.ts';
import type { VectorNote } from '../metadata/checkpointNote.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { isIOHandler, schemeOf } from '../source/ioScheme.ts';
import { checkRivals } from './checkRivals.ts';
import type { Selection } from './selectState.ts';
import { type StoredNames, storedNames } from './storedNames.ts';
import { vectorNotes } from './vectorNotes.ts';

/** The state dict of a file. */
export interface StoredState {
  /** The tensors by key. Tied tensors are one tensor. */
  readonly tensors: NamedTensorMap;
  readonly metadata: Readonly<Record<string, string>>;
  readonly selection: Selection;
  /** The classes and functions of Python in the file, which are inert records. */
  readonly placeholders: readonly string[];
  /** The singular vectors that are not unit vectors. */
  readonly notes: readonly VectorNote[];
  /** The other tensors that were asked for, by name. */
  readonly others: NamedTensorMap;
}

/** The keys that a model needs from a file. */
export interface Asked {
  /** True if the model needs a key, in any key format. */
  isAsked(key: string): boolean;
  /** True if the model needs no other keys. A model that renames keys may need others. */
  readonly isAll: boolean;
  /**
   * Returns the names of further tensors to read.
   *
   * @param has - true for a tensor of the file
   */
  others?(metadata: Readonly<Record<string, string>>, has: (name: string) => boolean): readonly string[];
}

/**
 * Reads the selected tensors of a source. A tensor that the model does not need is not read; a disposed tensor stands
 * for it.
 *
 * @remarks
 * **Ownership**: the tensors belong to the caller.
 */
export async function readState(
  source: CheckpointSource | io.IOHandler,
  options: OpenOptions & TorchOptions,
  select: (stored: StoredNames) => Promise<Selection>,
  asked: Asked,
): Promise<StoredState> {
  const scheme = schemeOf(source);
  if (scheme !== null || isIOHandler(source)) {
    const { readArtifacts } = await import('./readArtifacts.ts');
    return readArtifacts(source as string | io.IOHandler, select, asked);
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
    const known = new Set(file.names);
    const wanted = asked.others?.(file.metadata, (name) => known.has(name)) ?? [];
    const loaded = new Map<string, Tensor>();
    const others: NamedTensorMap = {};
    try {
      for (const name of wanted) others[name] = await file.tensor(name);
      for (const [key, name] of selection.keys) {
        const one = stored.identityOf(name);
        const tensor = loaded.has(one) ? undefined : await tensorFor(file, one, key, asked);
        if (tensor !== undefined) loaded.set(one, tensor);
      }
    } catch (error) {
      tf.dispose([[...loaded.values()], others]);
      throw error;
    }
    const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [
      key,
      loaded.get(stored.identityOf(name)) ?? unread(),
    ]);
    const { metadata, placeholders } = file;
    const map = Object.fromEntries(tensors);
    const notes = await vectorNotes(map, selection);
    return { tensors: map, metadata, selection, placeholders, notes, others };
  } finally {
    await file.close();
  }
}

/** Reads the tensor of a name. Returns undefined for a tensor that the model does not need. */
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

/** Makes a disposed placeholder for an unread tensor. Its key is unexpected, and any use of it throws. */
function unread(): Tensor {
  const tensor = tf.scalar(0);
  tensor.dispose();
  return tensor;
}
