import { SingleBar } from 'cli-progress';
import { CheckpointError, quoted } from '../checkpoint/checkpointError.ts';
import { elementSize } from '../checkpoint/dtype.ts';
import { writeNodeFile } from '../checkpoint/nodeFile.ts';
import { openCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { recipeKey } from '../checkpoint/recipeText.ts';
import { type PlannedTensor, respelled } from '../checkpoint/respell.ts';
import { safetensorsPieces } from '../checkpoint/safetensorsPieces.ts';
import { sizeOf } from '../checkpoint/storedTensor.ts';
import { below } from './fileView.ts';
import type { Terminal } from './run.ts';
import { useBackend } from './useBackend.ts';

/** Options of `convert`. */
export interface ConvertOptions {
  readonly output: string;
  readonly spelling: 'modern' | 'legacy' | 'folded';
  readonly prefix?: string;
  readonly json?: boolean;
}

/** Below this, a file is written before anybody has read a progress bar. */
const large = 32 * 1024 * 1024;

/** Writes the tensors of a file in one spelling, one after the other. */
export async function convert(path: string, options: ConvertOptions, terminal: Terminal): Promise<void> {
  const { output, spelling, prefix, json } = options;
  if (/\.(pt|pth|ckpt|bin)$/i.test(output)) {
    throw new CheckpointError(
      'OPTION',
      `--output is ${quoted(output)}, and safetensors is what is written; torch reads it with safetensors.torch.load_file. Call it .safetensors.`,
    );
  }
  const file = await openCheckpoint('convert', path);
  try {
    const view = below(file, prefix);
    const { [recipeKey]: recipe, ...others } = view.metadata;
    const isFolded = spelling === 'folded';
    if (isFolded && recipe !== undefined) await useBackend();
    const tensors = respelled(view, spelling);
    // The recipe is about parametrized weights: of folded ones it would be wrong.
    const metadata = isFolded ? others : view.metadata;
    const bytes = await writeFile(output, tensors, { format: 'pt', ...metadata }, terminal);
    const facts = { output, spelling, tensors: tensors.size, bytes };
    terminal.out(
      json
        ? JSON.stringify(facts)
        : `${output}: ${tensors.size} tensors, ${bytes.toLocaleString('en')} bytes`,
    );
  } finally {
    await file.close();
  }
}

/** Returns how many bytes were written. */
async function writeFile(
  output: string,
  tensors: ReadonlyMap<string, PlannedTensor>,
  metadata: Readonly<Record<string, string>>,
  terminal: Terminal,
): Promise<number> {
  const total = [...tensors.values()].reduce(
    (sum, { dtype, shape }) => sum + elementSize(dtype)! * sizeOf(shape),
    0,
  );
  const bar =
    terminal.showsProgress && total > large
      ? new SingleBar({ stream: process.stderr, format: '{bar} {percentage}% | {eta_formatted} left' })
      : undefined;
  bar?.start(total, 0);
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of safetensorsPieces(tensors, metadata)) {
      yield piece;
      bytes += piece.length;
      bar?.update(Math.min(bytes, total));
    }
  }
  try {
    await writeNodeFile(output, counted());
  } finally {
    bar?.stop();
  }
  return bytes;
}
