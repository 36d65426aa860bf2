import { realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CheckpointError, quoted } from '../checkpoint/checkpointError.ts';
import { converted } from '../checkpoint/convert/converted.ts';
import { parametrizedWeights } from '../checkpoint/convert/parametrizedWeights.ts';
import type { CheckpointFile } from '../checkpoint/file/checkpointFile.ts';
import { openCheckpoint } from '../checkpoint/file/openCheckpoint.ts';
import { safetensorsPieces } from '../checkpoint/formats/safetensors/safetensorsPieces.ts';
import { recipeKey } from '../checkpoint/metadata/recipeText.ts';
import { checkFileName } from '../checkpoint/save/checkFileName.ts';
import { writeNodeFile } from '../checkpoint/source/nodeFile.ts';
import { pluralize } from '../core/text.ts';
import { below } from './fileView.ts';
import { progressBar } from './progressBar.ts';
import type { Terminal } from './run.ts';
import { useBackend } from './useBackend.ts';

/** Options of `convert`. */
export interface ConvertOptions {
  readonly output: string;
  readonly keyFormat: 'modern' | 'legacy' | 'folded';
  readonly prefix?: string;
  readonly json?: boolean;
}

/**
 * Writes the tensors of a file in one key format, one after the other.
 *
 * @param caller - the command, for messages
 */
export async function convert(
  caller: string,
  path: string,
  options: ConvertOptions,
  terminal: Terminal,
): Promise<void> {
  const { output, keyFormat, prefix, json } = options;
  await checkOutput(path, output);
  const bar = progressBar(terminal);
  try {
    const file = await openCheckpoint(caller, path, bar.options);
    try {
      const view = below(file, prefix);
      const { [recipeKey]: recipe, ...others } = view.metadata;
      const isFolded = keyFormat === 'folded';
      if (isFolded && recipe !== undefined) await useBackend();
      const tensors = converted(view, keyFormat);
      // The recipe is about parametrized weights: of folded ones it would be wrong.
      const metadata = { format: 'pt', ...(isFolded ? others : view.metadata) };
      let bytes = 0;
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for await (const piece of safetensorsPieces(tensors, metadata)) {
          bytes += piece.length;
          yield piece;
        }
      }
      await writeNodeFile(output, pieces());
      bar.stop();
      const folded = isFolded ? parametrizedWeights(view).length : null;
      const facts = { output, keyFormat, tensors: tensors.size, bytes, ...(folded !== null && { folded }) };
      if (folded === 0) terminal.error(nothingFolded(view));
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

/** The warning for a file with nothing to fold, which names what looks like a normalization of somebody's own. */
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

/** Refuses what would be taken for something else, and a file in its own place: what a fold computes does not go back. */
async function checkOutput(path: string, output: string): Promise<void> {
  checkFileName('--output', output);
  const placeOf = (file: string): Promise<string | null> =>
    realpath(/^file:/i.test(file) ? fileURLToPath(file) : file).catch(() => null);
  const place = await placeOf(output);
  if (place === null || place !== (await placeOf(path))) return;
  throw new CheckpointError(
    'OPTION',
    `--output is ${quoted(output)}, the file that is read. Write to another one.`,
  );
}
