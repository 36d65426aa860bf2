import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { tableOf, writeSection } from '../../bench/measure/page.ts';
import { loadDigits } from '../mnist/loadDigits.ts';
import { Progress } from '../mnist/progress.ts';
import { textTable } from '../mnist/textTable.ts';
import type { Options } from './readOptions.ts';
import { checks, resultTable } from './resultTable.ts';
import { type Taught, teachTwice } from './teachTwice.ts';

/** Teaches with all seeds, prints the results and, if asked to, writes them into the documentation. */
export async function runPersonalize(options: Options, signal: AbortSignal): Promise<void> {
  // Production mode keeps the advertisement for tfjs-node, which the backends print, out of the output.
  tf.enableProdMode();
  await tf.setBackend('wasm');
  await tf.ready();

  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  const progress = new Progress(process.stdout);
  const setting = { ...loadDigits(options.digits), passes: options.passes, folder, progress, signal };
  const runs: Taught[] = [];
  for (let seed = 1; seed <= options.seeds; seed++) {
    const taught = await teachTwice(seed, setting);
    runs.push(taught);
    const [full, adapter] = [taught.accuracy.full, taught.accuracy.adapter].map((accuracies) =>
      (100 * accuracies.new).toFixed(1),
    );
    progress.line(`seed ${seed}: digits 5 to 9, all weights ${full} %, adapter ${adapter} %`);
  }

  const table = resultTable(runs);
  console.log(`\n${textTable(table)}\n`);
  for (const { text, held } of checks(runs)) console.log(`${held ? 'yes' : 'NO'}: ${text}`);
  console.log(`\nThe files of the last base and its adapter are in ${folder}.`);
  console.log('npm run example:personalize:page serves a page that trains the adapter in a browser.');
  if (options.write) {
    const list = checks(runs).map(({ text, held }) => `- ${text}: ${held ? 'yes' : '**no**'}`);
    writeSection(
      'docs/fine-tuning.md',
      'personalize',
      `${tableOf(table.columns, table.rows)}\n\n${list.join('\n')}`,
    );
  }
}
