import '@tensorflow/tfjs-backend-wasm';
import { mkdirSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { tableOf, writeSection } from '../../bench/measure/page.ts';
import { loadDigits } from '../mnist/loadDigits.ts';
import { textTable } from '../mnist/textTable.ts';
import { compressModel, type Point } from './compressModel.ts';
import { checks, plot, resultTable } from './compressResults.ts';
import type { Options } from './readOptions.ts';

/** Compresses with all seeds, prints the results and, if asked to, writes them into the documentation. */
export async function runCompress(options: Options, signal: AbortSignal): Promise<void> {
  // Production mode keeps the advertisement for tfjs-node, which the backends print, out of the output.
  tf.enableProdMode();
  await tf.setBackend('wasm');
  await tf.ready();

  const done = ({ seed, sparsity, bits, accuracy, gzip }: Point): void =>
    console.log(
      `seed ${seed}, ${bits} bits, ${100 * sparsity} % zeros: ${(100 * accuracy).toFixed(1)} %, ${(gzip / 1000).toFixed(1)} kB`,
    );
  const setting = { ...loadDigits(options.digits), epochs: options.epochs, signal, done };
  const points: Point[] = [];
  for (let seed = 1; seed <= options.seeds; seed++) points.push(...(await compressModel(seed, setting)));

  const table = resultTable(points);
  console.log(`\n${textTable(table)}\n`);
  const statements = checks(points);
  for (const { text, held } of statements) console.log(`${held ? 'yes' : 'NO'}: ${text}`);
  if (options.write) {
    const list = statements.map(({ text, held }) => `- ${text}: ${held ? 'yes' : '**no**'}`);
    writeSection(
      'docs/fine-tuning.md',
      'compress',
      `${tableOf(table.columns, table.rows)}\n\n${list.join('\n')}`,
    );
    mkdirSync('docs/fine-tuning', { recursive: true });
    writeFileSync('docs/fine-tuning/compress.svg', plot(points));
  }
}
