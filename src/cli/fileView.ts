import { CheckpointError, quoted } from '../checkpoint/checkpointError.ts';
import { recipeBelow } from '../checkpoint/convert/recipeBelow.ts';
import type { CheckpointFile } from '../checkpoint/file/checkpointFile.ts';
import { isOptimizerName, optimizerKey } from '../checkpoint/metadata/optimizerNames.ts';
import { recipeIn, recipeKey, recipeText } from '../checkpoint/metadata/recipeText.ts';

/** Returns the part of a file below a path, with names relative to the path. */
export function below(file: CheckpointFile, prefix: string | undefined): CheckpointFile {
  if (prefix === undefined || prefix === '') return file;
  const path = prefix.endsWith('.') ? prefix : `${prefix}.`;
  const names = file.names.filter((name) => name.startsWith(path)).map((name) => name.slice(path.length));
  if (names.length === 0) {
    throw new CheckpointError(
      'OPTION',
      `--prefix: no tensor stands below ${quoted(prefix)}`,
      'List the names with tfjs-parametrize inspect.',
    );
  }
  const ties = file.ties
    .map((group) => group.filter((name) => name.startsWith(path)).map((name) => name.slice(path.length)))
    .filter((group) => group.length > 1);
  return {
    ...file,
    metadata: metadataBelow(file.metadata, path),
    names,
    ties,
    info: (name) => file.info(path + name),
    tensor: (name) => file.tensor(path + name),
    slice: (name, begin, size) => file.slice(path + name, begin, size),
    read: (name) => file.read(path + name),
  };
}

/** Returns a file without the state of an optimizer, which belongs to the originals of parametrized weights. */
export function withoutOptimizer(file: CheckpointFile): CheckpointFile {
  const { [optimizerKey]: text, ...metadata } = file.metadata;
  if (text === undefined) return file;
  return { ...file, metadata, names: file.names.filter((name) => !isOptimizerName(name, file.metadata)) };
}

/** Returns the metadata with the recipe relative to the path. Other texts stay as they are. */
function metadataBelow(
  metadata: Readonly<Record<string, string>>,
  path: string,
): Readonly<Record<string, string>> {
  const { [recipeKey]: _, [optimizerKey]: _optimizer, ...others } = metadata;
  const recipe = recipeBelow(recipeIn(metadata) ?? [], path);
  return recipe.length === 0 ? others : { ...others, [recipeKey]: recipeText(recipe) };
}
