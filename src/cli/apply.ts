import { readFile } from 'node:fs/promises';
import { CheckpointError, printable, quoted } from '../checkpoint/checkpointError.ts';
import { applyStored } from '../checkpoint/convert/applyStored.ts';
import { recipeOfRules } from '../checkpoint/convert/recipeOfRules.ts';
import { openCheckpoint } from '../checkpoint/file/openCheckpoint.ts';
import { safetensorsPieces } from '../checkpoint/formats/safetensors/safetensorsPieces.ts';
import { recipeIn, recipeKey, recipeText } from '../checkpoint/metadata/recipeText.ts';
import { checkFileName } from '../checkpoint/save/checkFileName.ts';
import { writeNodeFile } from '../checkpoint/source/nodeFile.ts';
import { pluralize } from '../core/text.ts';
import type { TensorRecipe } from '../stateDict/recipe.ts';
import { checkOutput, shardPaths } from './checkOutput.ts';
import { below, withoutOptimizer } from './fileView.ts';
import { progressBar } from './progressBar.ts';
import type { Terminal } from './run.ts';
import { useBackend } from './useBackend.ts';

/** Options of `apply`. */
export interface ApplyOptions {
  /** The path of the recipe, or of rules as data. */
  readonly recipe: string;
  readonly output: string;
  readonly keyFormat?: 'modern' | 'legacy';
  readonly prefix?: string;
  readonly json?: boolean;
}

/** Registers the parametrizations of a recipe or of rules on the tensors of a file, and writes the result. */
export async function apply(path: string, options: ApplyOptions, terminal: Terminal): Promise<void> {
  const { recipe: recipePath, output, keyFormat = 'modern', prefix, json } = options;
  checkFileName('--output', output);
  await checkOutput(output, [path, recipePath]);
  const given = givenIn(await textOf(recipePath));
  const bar = progressBar(terminal);
  try {
    const file = await openCheckpoint('apply', path, bar.options);
    try {
      await checkOutput(output, shardPaths(path, file));
      const view = withoutOptimizer(below(file, prefix));
      const { recipe, unchanged, skipped } =
        'rules' in given ? recipeOfRules(view, given.rules) : { ...given, unchanged: [], skipped: [] };
      await useBackend();
      const applied = await applyStored(view, recipe, keyFormat === 'legacy');
      const { tensors, tied } = applied;
      const metadata = {
        format: 'pt',
        ...applied.metadata,
        ...(applied.recipe.length > 0 && { [recipeKey]: recipeText(applied.recipe) }),
      };
      await writeNodeFile(output, safetensorsPieces(tensors, metadata));
      bar.stop();
      const parametrized = recipe.filter(({ tiedTo }) => tiedTo === undefined).length;
      const facts = {
        output,
        keyFormat,
        tensors: tensors.size,
        parametrized,
        ...(tied.length > 0 && { tied }),
        ...(unchanged.length > 0 && { unchanged }),
        ...(skipped.length > 0 && { skipped }),
      };
      const lines = [
        `parametrized ${pluralize(parametrized, 'tensor')}`,
        ...(tied.length > 0 ? [`tied ${pluralize(tied.length, 'tensor')}`] : []),
        ...unchanged.map((name) => `unchanged: ${printable(name)}`),
        ...skipped.map(({ name, reason }) => `skipped: ${printable(name)}, ${printable(reason)}`),
        `${output}: ${pluralize(tensors.size, 'tensor')}`,
      ];
      terminal.out(json ? JSON.stringify(facts) : lines.join('\n'));
    } finally {
      await file.close();
    }
  } finally {
    bar.stop();
  }
}

/** Returns the rules of a text that is an array in JSON, and the recipe of another text. */
function givenIn(
  text: string,
): { readonly rules: readonly unknown[] } | { readonly recipe: readonly TensorRecipe[] } {
  // A recipe is an object, and the check of recipes also refuses texts that are not JSON.
  if (!/^\s*\[/.test(text)) return { recipe: recipeIn({ [recipeKey]: text })! };
  try {
    return { rules: JSON.parse(text) as unknown[] };
  } catch (cause) {
    throw new CheckpointError(
      'CORRUPT',
      'the rules are not JSON',
      'Rules are an array, [{ "match": "**", "apply": "weightNorm" }].',
      { cause },
    );
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
