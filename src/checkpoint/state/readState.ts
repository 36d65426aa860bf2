import type { io, NamedTensorMap, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { openCheckpoint } from '../file/openCheckpoint.ts';
import type { CheckpointSource, OpenOptions } from '../source/byteSource.ts';
import { isIOHandler, loadArtifacts, loadHandlerFor, schemeOf } from '../source/ioHandler.ts';
import type { TorchOptions } from '../torch/parseTorch.ts';
import type { Selection } from './selectState.ts';

/** What is known of the tensors of a file before they are read. */
export interface StoredNames {
  /** In the order of the file. */
  readonly names: readonly string[];
  /** Whether that is the order in which the tensors were made; a safetensors file has them by name. */
  readonly isInOrder: boolean;
  shapeOf(name: string): readonly number[];
}

/** The state dict of a file. */
export interface StoredState {
  /** Its tensors by key; tied ones are one. */
  readonly tensors: NamedTensorMap;
  readonly metadata: Readonly<Record<string, string>>;
  readonly selection: Selection;
}

/**
 * Reads what is selected of a source.
 *
 * @remarks
 * **Ownership**: the tensors are the caller's.
 */
export async function readState(
  source: CheckpointSource | io.IOHandler,
  options: OpenOptions & TorchOptions,
  select: (stored: StoredNames) => Selection,
): Promise<StoredState> {
  const scheme = schemeOf(source);
  if (scheme !== null || isIOHandler(source)) {
    const handler = isIOHandler(source) ? source : loadHandlerFor(source as string);
    const { tensors: all, metadata } = await loadArtifacts(handler);
    try {
      const shapeOf = (name: string): readonly number[] => all[name]!.shape;
      const selection = select({ names: Object.keys(all), isInOrder: true, shapeOf });
      const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [key, all[name]!.clone()]);
      return { tensors: Object.fromEntries(tensors), metadata, selection };
    } finally {
      tf.dispose(all);
    }
  }
  const file = await openCheckpoint('loadCheckpoint', source as CheckpointSource, options);
  try {
    const selection = select({
      names: file.names,
      isInOrder: file.format !== 'safetensors',
      shapeOf: (name) => file.info(name).shape,
    });
    const first = new Map(file.ties.flatMap((group) => group.map((name) => [name, group[0]!] as const)));
    const made = new Map<string, Tensor>();
    try {
      for (const name of selection.keys.values()) {
        const one = first.get(name) ?? name;
        if (!made.has(one)) made.set(one, await file.tensor(one));
      }
    } catch (error) {
      tf.dispose([...made.values()]);
      throw error;
    }
    const tensors = [...selection.keys].map(([key, name]): [string, Tensor] => [
      key,
      made.get(first.get(name) ?? name)!,
    ]);
    return { tensors: Object.fromEntries(tensors), metadata: file.metadata, selection };
  } finally {
    await file.close();
  }
}
