import { readFile } from 'node:fs/promises';
import { CheckpointError, quoted } from '../checkpoint/checkpointError.ts';
import { applyStored } from '../checkpoint/convert/applyStored.ts';
import { openCheckpoint } from '../checkpoint/file/openCheckpoint.ts';
import { safetensorsPieces } from '../checkpoint/formats/safetensors/safetensorsPieces.ts';
import { recipeIn, recipeKey, recipeText } from '../checkpoint/metadata/recipeText.ts';
import { checkFileName } from '../checkpoint/save/checkFileName.ts';
import { writeNodeFile } from '../checkpoint/source/nodeFile.ts';
import { pluralize } from '../core/text.ts';
import { checkOutput, shardPaths } from './checkOutput.ts';
import { below, withoutOptimizer } from './fileView.ts';
import { progressBar } from './progressBar.ts';
import type { Terminal } from './run.ts';
import { useBackend } from './useBackend.ts';

/** Options of `apply`. */
export interface ApplyOptions {
  /** The path of the recipe. */
  readonly recipe: string;
  readonly output: string;
  readonly keyFormat?: 'modern' | 'legacy';
  readonly prefix?: string;
  readonly json?: boolean;
}

/** Registers the parametrizations of a recipe on the tensors of a file, and writes the parts and the recipe. */
export async function apply(path: string, options: ApplyOptions, terminal: Terminal): Promise<void> {
  const { recipe: recipePath, output, keyFormat = 'modern', prefix, json } = options;
  checkFileName('--output', output);
  await checkOutput(output, [path, recipePath]);
  const recipe = recipeIn({ [recipeKey]: await textOf(recipePath) })!;
  const bar = progressBar(terminal);
  try {
    const file = await openCheckpoint('apply', path, bar.options);
    try {
      await checkOutput(output, shardPaths(path, file));
      const view = withoutOptimizer(below(file, prefix));
      await useBackend();
      const tensors = await applyStored(view, recipe, keyFormat === 'legacy');
      const all = [...(recipeIn(view.metadata) ?? []), ...recipe];
      const metadata = {
        format: 'pt',
        ...view.metadata,
        ...(all.length > 0 && { [recipeKey]: recipeText(all) }),
      };
      await writeNodeFile(output, safetensorsPieces(tensors, metadata));
      bar.stop();
      const facts = { output, keyFormat, tensors: tensors.size, parametrized: recipe.length };
      terminal.out(
        json
          ? JSON.stringify(facts)
          : `parametrized ${pluralize(recipe.length, 'tensor')}\n${output}: ${pluralize(tensors.size, 'tensor')}`,
      );
    } finally {
      await file.close();
    }
  } finally {
    bar.stop();
  }
}

/** The maximum size of a recipe: 100,000 tensors with long paths take less. */
const largest = 128 * 1024 * 1024;

async function textOf(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= largest) return bytes.toString('utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CheckpointError('UNREADABLE', `the recipe cannot be read: ${why}`, 'Check the path.', {
      cause,
    });
  }
  throw new CheckpointError(
    'LIMIT',
    `the recipe ${quoted(path)} has more than ${largest} bytes`,
    'Split it.',
  );
}
