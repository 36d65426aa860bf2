import { CheckpointError, quoted } from '../checkpoint/checkpointError.ts';
import { converted } from '../checkpoint/convert/converted.ts';
import { convertedAliases } from '../checkpoint/convert/convertedAliases.ts';
import { foldedTies } from '../checkpoint/convert/foldedTies.ts';
import { type ParametrizedWeight, parametrizedWeights } from '../checkpoint/convert/parametrizedWeights.ts';
import { recipeByTensor, recipeOfTensors } from '../checkpoint/convert/recipeBelow.ts';
import type { CheckpointFile } from '../checkpoint/file/checkpointFile.ts';
import { openCheckpoint } from '../checkpoint/file/openCheckpoint.ts';
import { safetensorsPieces } from '../checkpoint/formats/safetensors/safetensorsPieces.ts';
import { noteText, type VectorNote } from '../checkpoint/metadata/checkpointNote.ts';
import { recipeIn, recipeKey, recipeText } from '../checkpoint/metadata/recipeText.ts';
import { checkFileName } from '../checkpoint/save/checkFileName.ts';
import { writeNodeFile } from '../checkpoint/source/nodeFile.ts';
import { pluralize } from '../core/text.ts';
import type { KeyFormat } from '../nn/stateDict/keyFormat.ts';
import type { TensorRecipe } from '../stateDict/recipe.ts';
import { checkOutput, shardPaths } from './checkOutput.ts';
import { below, withoutAliases, withoutOptimizer } from './fileView.ts';
import { globTest } from './glob.ts';
import { progressBar } from './progressBar.ts';
import type { Terminal } from './run.ts';
import { useBackend } from './useBackend.ts';

/** Options of `convert`. */
export interface ConvertOptions {
  readonly output: string;
  readonly keyFormat: KeyFormat;
  readonly prefix?: string;
  /** Globs of the weights that stay as they are. */
  readonly exclude?: readonly string[];
  readonly json?: boolean;
}

/**
 * Writes the tensors of a file in one key format, one tensor at a time.
 *
 * @param caller - the command, for messages
 */
export async function convert(
  caller: string,
  path: string,
  options: ConvertOptions,
  terminal: Terminal,
): Promise<void> {
  const { output, keyFormat, prefix, exclude = [], json } = options;
  checkFileName('--output', output);
  await checkOutput(output, [path]);
  const bar = progressBar(terminal);
  try {
    const file = await openCheckpoint(caller, path, bar.options);
    try {
      await checkOutput(output, shardPaths(path, file));
      const own = below(file, prefix);
      const view = keyFormat === 'folded' ? withoutOptimizer(own) : own;
      const isExcluded = excluding(view, exclude);
      const weights = parametrizedWeights(view).filter((weight) => !isExcluded(weight));
      const isFolded = keyFormat === 'folded';
      if (isFolded && weights.some(({ recipe }) => recipe !== null)) await useBackend();
      const notes: VectorNote[] = [];
      const tensors = converted(view, { keyFormat, isExcluded, found: (note) => void notes.push(note) });
      const ties = isFolded ? foldedTies(view, tensors) : null;
      for (const [name, tensor] of ties?.copies ?? []) tensors.set(name, tensor);
      const aliases = { ...convertedAliases(view, weights, keyFormat), ...ties?.aliases };
      const metadata = {
        format: 'pt',
        ...withoutAliases(view, ties === null ? view.metadata : withoutRecipe(view, weights, ties.left)),
        ...aliases,
      };
      let bytes = 0;
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for await (const piece of safetensorsPieces(tensors, metadata)) {
          bytes += piece.length;
          yield piece;
        }
      }
      await writeNodeFile(output, pieces());
      bar.stop();
      const folded = isFolded ? weights.length : null;
      const facts = {
        output,
        keyFormat,
        tensors: tensors.size,
        bytes,
        ...(folded !== null && { folded }),
        ...(notes.length > 0 && { notes }),
      };
      if (folded === 0 && exclude.length === 0) terminal.error(nothingFolded(view));
      for (const note of notes) terminal.error(`note: ${noteText(note)}`);
      terminal.out(
        json
          ? JSON.stringify(facts)
          : `${folded ? `folded ${pluralize(folded, 'weight')}\n` : ''}${output}: ${pluralize(tensors.size, 'tensor')}, ${pluralize(bytes, 'byte')}`,
      );
    } finally {
      await file.close();
    }
  } finally {
    bar.stop();
  }
}

/** The warning for a file with nothing to fold. It names tensors that look like a custom normalization. */
function nothingFolded({ names }: CheckpointFile): string {
  const all = new Set(names);
  const own = names.find((name) => {
    const weight = name.endsWith('_bar') ? name.slice(0, -'_bar'.length) : null;
    return weight !== null && all.has(`${weight}_u`);
  });
  const why =
    own === undefined
      ? 'neither the names nor a recipe in the file tell of a parametrized weight.'
      : `${quoted(own)} is the original of a spectral norm that is not torch's, whose value its own module computes.`;
  return `warning: folded 0 weights: ${why} The tensors are written as they are.`;
}

/**
 * Returns the metadata without the entries of the recipe for folded weights, which would be wrong.
 *
 * @param ties - the entries of ties that stay
 */
function withoutRecipe(
  { metadata }: CheckpointFile,
  folded: readonly ParametrizedWeight[],
  ties: readonly TensorRecipe[],
): Readonly<Record<string, string>> {
  const { [recipeKey]: text, ...others } = metadata;
  if (text === undefined) return others;
  const gone = new Set(folded.map(({ prefix, tensor }) => prefix + tensor));
  const recipe = recipeIn(metadata) ?? [];
  const names = new Set([...recipeByTensor(recipe).keys()].filter((name) => !gone.has(name)));
  const left = [...recipeOfTensors(recipe, names), ...ties];
  return left.length === 0 ? others : { ...others, [recipeKey]: recipeText(left) };
}

/**
 * Returns a test that is true for the weights that stay as they are: a glob matches the plain name or the name of a
 * part.
 *
 * @throws {@link CheckpointError} `OPTION` for a glob that matches nothing in the file, which is probably a mistake
 */
function excluding(file: CheckpointFile, globs: readonly string[]): (weight: ParametrizedWeight) => boolean {
  const tests = globs.map((glob) => [glob, globTest(glob)] as const);
  const namesOf = ({ prefix, tensor, parts }: ParametrizedWeight): string[] => [prefix + tensor, ...parts];
  const all = [...file.names, ...parametrizedWeights(file).flatMap(namesOf)];
  const lost = tests.find(([, test]) => !all.some(test));
  if (lost !== undefined) {
    throw new CheckpointError(
      'OPTION',
      `--exclude: no tensor is called like ${quoted(lost[0])}`,
      'List the names with tfjs-parametrize inspect.',
    );
  }
  return (weight) => tests.some(([, test]) => namesOf(weight).some(test));
}
