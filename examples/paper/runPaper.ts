import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { loadDigits } from '../mnist/loadDigits.ts';
import { Progress } from '../mnist/progress.ts';
import { textTable } from '../mnist/textTable.ts';
import { claims } from './claims.ts';
import { Grid, lastLoss } from './grid.ts';
import { methods } from './methods.ts';
import { paperDocument, resultTable } from './paperDocument.ts';
import { charts } from './plot/charts.ts';
import type { Options } from './readOptions.ts';
import { type Run, runMethod } from './runMethod.ts';

const batchSize = 32;
const rates = [0.001, 0.003, 0.01, 0.03];

/** Runs all methods with all rates and seeds, prints the results and writes the document with its plots. */
export async function runPaper(options: Options, signal: AbortSignal): Promise<void> {
  // Production mode keeps the advertisement for tfjs-node, which the backends print, out of the output.
  tf.enableProdMode();
  await tf.setBackend('wasm');
  await tf.ready();

  const setting = { ...loadDigits(options.digits), steps: options.steps, batchSize, signal };
  console.log(
    `${options.seeds * rates.length * methods.length} runs of ${options.steps} steps of ${batchSize} digits.`,
  );
  const progress = new Progress(process.stdout);
  const runs: Run[] = [];
  try {
    for (let seed = 1; seed <= options.seeds; seed++) {
      progress.start(`seed ${seed}`, rates.length * methods.length);
      for (const rate of rates) {
        for (const method of methods) {
          const run = await runMethod(method, rate, seed, setting);
          runs.push(run);
          progress.step(lastLoss(run));
        }
        progress.line(`seed ${seed}, learning rate ${rate}: done`);
      }
      progress.stop();
    }
  } finally {
    progress.stop();
  }
  const grid = new Grid(runs);
  const size = { training: setting.training.labels.length, test: setting.test.labels.length, batchSize };
  const folder = join(dirname(resolve(options.document)), 'paper');
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(charts(grid))) writeFileSync(join(folder, name), svg);
  writeFileSync(options.document, paperDocument(grid, size));

  console.log(`\n${textTable(resultTable(grid))}\n`);
  for (const { claim, measured, verdict } of claims(grid)) console.log(`${verdict}: ${claim} (${measured})`);
  console.log(`\nWritten: ${resolve(options.document)}, and the plots in ${folder}.`);
}
