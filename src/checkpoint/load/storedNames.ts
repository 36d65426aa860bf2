import { type LayerInOrder, layerOrderIn } from '../metadata/layerOrder.ts';

/** The names, shapes and order of the tensors of a file, known before they are read. */
export interface StoredNames {
  /** In the order of the file; after them the names that its metadata has for tensors that stand under others. */
  readonly names: readonly string[];
  /** True if that is the order in which the tensors were made; a safetensors file has them by name. */
  readonly isInOrder: boolean;
  /** The paths of the layers of the model that was saved, if it was one of tf.layers. */
  readonly layers: readonly LayerInOrder[];
  shapeOf(name: string): readonly number[];
  /** The same name for all names of one tensor: one that the file has it under. */
  identityOf(name: string): string;
}

/** The parts of a file that name and describe its tensors. */
interface Stored {
  readonly names: readonly string[];
  readonly ties: readonly (readonly string[])[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly isInOrder: boolean;
  shapeOf(name: string): readonly number[];
}

/**
 * The names of a file. Of tensors that are one, `save_model` of safetensors writes the first, and in the metadata the
 * other names with that of the first.
 */
export function storedNames({ names, ties, metadata, isInOrder, shapeOf }: Stored): StoredNames {
  const first = new Map(ties.flatMap((group) => group.map((name) => [name, group[0]!] as const)));
  const known = new Set(names);
  for (const [name, kept] of Object.entries(metadata)) {
    if (!known.has(name) && known.has(kept)) first.set(name, first.get(kept) ?? kept);
  }
  const identityOf = (name: string): string => first.get(name) ?? name;
  const aliases = [...first.keys()].filter((name) => !known.has(name));
  return {
    names: [...names, ...aliases],
    isInOrder,
    layers: layerOrderIn(metadata),
    shapeOf: (name) => shapeOf(known.has(name) ? name : identityOf(name)),
    identityOf,
  };
}
