import { CheckpointError, quoted } from '../checkpoint/checkpointError.ts';
import { recipeBelow } from '../checkpoint/convert/recipeBelow.ts';
import { TieRoots } from '../checkpoint/convert/tieRoots.ts';
import type { CheckpointFile } from '../checkpoint/file/checkpointFile.ts';
import { aliasesIn } from '../checkpoint/metadata/aliases.ts';
import { isOptimizerName, optimizerKey } from '../checkpoint/metadata/optimizerNames.ts';
import { recipeIn, recipeKey, recipeText } from '../checkpoint/metadata/recipeText.ts';

/** Returns the part of a file below a path, with names relative to the path. */
export function below(file: CheckpointFile, prefix: string | undefined): CheckpointFile {
  if (prefix === undefined || prefix === '') return file;
  const path = prefix.endsWith('.') ? prefix : `${prefix}.`;
  const relative = (names: readonly string[]): string[] =>
    names.filter((name) => name.startsWith(path)).map((name) => name.slice(path.length));
  const { stored, aliases } = withAliases(file, path, relative);
  if (stored.size === 0) {
    throw new CheckpointError(
      'OPTION',
      `--prefix: no tensor stands below ${quoted(prefix)}`,
      'List the names with tfjs-parametrize inspect.',
    );
  }
  const nameOf = (name: string): string => stored.get(name) ?? path + name;
  return {
    ...file,
    metadata: { ...metadataBelow(file, path), ...aliases },
    names: [...stored.keys()],
    ties: file.ties.map(relative).filter((group) => group.length > 1),
    info: (name) => file.info(nameOf(name)),
    tensor: (name) => file.tensor(nameOf(name)),
    slice: (name, begin, size) => file.slice(nameOf(name), begin, size),
    read: (name) => file.read(nameOf(name)),
  };
}

/**
 * Returns the relative names of the tensors below a path with their names in the file, and the aliases below it. A
 * tensor that only an alias names there has that name.
 */
function withAliases(
  file: CheckpointFile,
  path: string,
  relative: (names: readonly string[]) => string[],
): { readonly stored: Map<string, string>; readonly aliases: Readonly<Record<string, string>> } {
  const { names, metadata } = file;
  const stored = new Map(relative(names).map((name) => [name, path + name]));
  const first = new Map([...stored].map(([name, kept]) => [kept, name]));
  const aliases: Record<string, string> = Object.create(null);
  for (const [alias, kept] of [...aliasesIn(new Set(names), metadata), ...tiedOutside(file, path)]) {
    const [name] = relative([alias]);
    if (name === undefined) continue;
    const known = first.get(kept);
    if (known !== undefined) aliases[name] = known;
    else {
      stored.set(name, kept);
      first.set(kept, name);
    }
  }
  return { stored, aliases };
}

/**
 * Returns the tensors below a path that read tensors elsewhere, by the recipe, each with the tensor that it reads.
 *
 * @throws {@link CheckpointError} `TIED` if that is parametrized, or transposed
 */
function tiedOutside(file: CheckpointFile, path: string): [name: string, kept: string][] {
  const names = new Set(file.names);
  const aliases = aliasesIn(names, file.metadata);
  const roots = new TieRoots();
  for (const entry of recipeIn(file.metadata) ?? []) roots.add(entry);
  return [...roots.groups()].flatMap(([root, members]) =>
    root.startsWith(path)
      ? []
      : members.flatMap(({ name, isTransposed }): [string, string][] => {
          if (!name.startsWith(path) || names.has(name) || aliases.has(name)) return [];
          const kept = names.has(root) ? root : aliases.get(root);
          if (kept !== undefined && !isTransposed) return [[name, kept]];
          throw new CheckpointError(
            'TIED',
            `${quoted(name)} is tied to ${quoted(root)}, which is not below ${quoted(path.slice(0, -1))}`,
            'Fold the file first, or leave --prefix out.',
          );
        }),
  );
}

/** Returns a file without the state of an optimizer, which belongs to the originals of parametrized weights. */
export function withoutOptimizer(file: CheckpointFile): CheckpointFile {
  const { [optimizerKey]: text, ...metadata } = file.metadata;
  if (text === undefined) return file;
  return { ...file, metadata, names: file.names.filter((name) => !isOptimizerName(name, file.metadata)) };
}

/** Returns the metadata with the recipe relative to the path, without aliases. Other texts stay as they are. */
function metadataBelow(file: CheckpointFile, path: string): Readonly<Record<string, string>> {
  const { metadata } = file;
  const { [recipeKey]: _, [optimizerKey]: _optimizer, ...all } = metadata;
  const others = withoutAliases(file, all);
  const recipe = recipeBelow(recipeIn(metadata) ?? [], path);
  return recipe.length === 0 ? others : { ...others, [recipeKey]: recipeText(recipe) };
}

/** Returns texts of a file without those that are other names of its tensors. */
export function withoutAliases(
  { names, metadata }: CheckpointFile,
  texts: Readonly<Record<string, string>>,
): Record<string, string> {
  const aliases = aliasesIn(new Set(names), metadata);
  return Object.fromEntries(Object.entries(texts).filter(([name]) => !aliases.has(name)));
}
