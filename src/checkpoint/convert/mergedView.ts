import { CheckpointError, quoted } from '../checkpointError.ts';
import type { CheckpointFile } from '../file/checkpointFile.ts';
import type { TiedName } from './tieRoots.ts';
import { transposed } from './transposed.ts';

/** The place of a value in a file. */
export interface Place {
  /** The name of the tensor that has the value. */
  readonly from: string;
  /** True if the value is the transpose of that tensor. */
  readonly isTransposed: boolean;
}

/** The tied tensors of a file that stay under the names of their sources. */
interface Merged {
  /** The other names of tensors in the metadata. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The sources of the tensors that are left out, by the names of these. */
  readonly gone: ReadonlyMap<string, TiedName>;
  /** The places of values that get other names. */
  readonly moved: ReadonlyMap<string, Place>;
  isTied(name: string): boolean;
}

/**
 * Returns a file with tied tensors under the names of their sources.
 *
 * @throws {@link CheckpointError} `TIED` for another name of a tensor whose transpose is kept
 */
export function mergedView(file: CheckpointFile, { aliases, gone, moved, isTied }: Merged): CheckpointFile {
  const heirs = new Map(
    [...moved].filter(([, { from }]) => gone.has(from)).map(([root, { from }]) => [from, root] as const),
  );
  const keptAs = (name: string, by: string): string => {
    const source = gone.get(name);
    if (source === undefined) return name;
    if (!source.isTransposed) return source.name;
    throw new CheckpointError(
      'TIED',
      `${quoted(name)} is tied to the transpose of ${quoted(source.name)}, and has the name ${quoted(by)} too`,
      `Tie ${quoted(by)} as well.`,
    );
  };
  const others = [...aliases].flatMap(([alias, kept]) =>
    isTied(alias) || moved.has(alias) ? [] : [[alias, keptAs(kept, alias)] as const],
  );
  // The value of a source that only has another name stays where it is.
  const shared = [...moved].flatMap(([root, { from, isTransposed }]) => {
    if (gone.has(from)) return [];
    if (isTransposed) throw severalNames(root, from);
    return [[root, from] as const];
  });
  const namesIn = (names: readonly string[]): string[] =>
    names.flatMap((name) => heirs.get(name) ?? (gone.has(name) ? [] : [name]));
  const texts = Object.entries(file.metadata).filter(([key]) => !aliases.has(key));
  const place = (name: string): Place => moved.get(name) ?? { from: name, isTransposed: false };
  return {
    ...file,
    metadata: Object.fromEntries([...texts, ...others, ...shared]),
    names: namesIn(file.names),
    ties: file.ties.map(namesIn).filter((group) => group.length > 1),
    info(name) {
      const { from, isTransposed } = place(name);
      const { dtype, shape } = file.info(from);
      return { dtype, shape: isTransposed ? [...shape].reverse() : shape };
    },
    async read(name) {
      const { from, isTransposed } = place(name);
      const stored = await file.read(from);
      return isTransposed ? transposed(stored, name) : stored;
    },
  };
}

const severalNames = (root: string, name: string): CheckpointError =>
  new CheckpointError(
    'TIED',
    `${quoted(root)} is the transpose of ${quoted(name)}, which has a name of its own in the file`,
    `Tie ${quoted(name)} as well.`,
  );
