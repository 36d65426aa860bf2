import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CheckpointError, quoted } from '../checkpoint/checkpointError.ts';
import type { CheckpointFile } from '../checkpoint/file/checkpointFile.ts';

/** Returns the paths of the shards of an index. The shards of a URL are not files. */
export const shardPaths = (path: string, { shards }: CheckpointFile): string[] =>
  /^https?:/i.test(path) ? [] : shards.map((name) => join(dirname(localPath(path)), name));

const localPath = (file: string): string => (/^file:/i.test(file) ? fileURLToPath(file) : file);

/** Refuses an output that is one of the inputs, because a fold cannot be undone. */
export async function checkOutput(output: string, inputs: readonly string[]): Promise<void> {
  const realPath = (file: string): Promise<string | null> => realpath(localPath(file)).catch(() => null);
  const target = await realPath(output);
  if (target === null) return;
  for (const input of inputs) {
    if (target !== (await realPath(input))) continue;
    throw new CheckpointError(
      'OPTION',
      `--output is ${quoted(output)}, a file that is read`,
      'Write to another one.',
    );
  }
}
