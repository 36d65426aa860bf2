import { aliasesIn } from '../metadata/aliases.ts';
import { type LayerInOrder, layerOrderIn } from '../metadata/layerOrder.ts';
import { isOptimizerName } from '../metadata/optimizerNames.ts';

/** The names, shapes and order of the tensors of a file, known before they are read. */
export interface StoredNames {
  /** The names in the order of the file, followed by the aliases in its metadata. */
  readonly names: readonly string[];
  /** The names of the tensors of an optimizer, which are not in {@link names}. */
  readonly optimizer: readonly string[];
  /** True if this is the order in which the tensors were made. A safetensors file sorts them. */
  readonly isInOrder: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** The paths of the layers of a saved model of tf.layers. */
  readonly layers: readonly LayerInOrder[];
  shapeOf(name: string): readonly number[];
  /** Returns the same name, which the file has, for all names of one tensor. */
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

/** Returns the names of a file, with the aliases in its metadata. */
export function storedNames({ names: all, ties, metadata, isInOrder, shapeOf }: Stored): StoredNames {
  const optimizer = all.filter((name) => isOptimizerName(name, metadata));
  const names = optimizer.length === 0 ? all : all.filter((name) => !isOptimizerName(name, metadata));
  const first = new Map(ties.flatMap((group) => group.map((name) => [name, group[0]!] as const)));
  const known = new Set(names);
  for (const [name, kept] of aliasesIn(known, metadata)) first.set(name, first.get(kept) ?? kept);
  const identityOf = (name: string): string => first.get(name) ?? name;
  const aliases = [...first.keys()].filter((name) => !known.has(name));
  return {
    names: [...names, ...aliases],
    optimizer,
    isInOrder,
    metadata,
    layers: layerOrderIn(metadata),
    shapeOf: (name) => shapeOf(known.has(name) ? name : identityOf(name)),
    identityOf,
  };
}
