import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { conclusions } from './conclusions.ts';
import { constraintInFit } from './constraintInFit.ts';
import { criticCosts } from './critic.ts';
import { loadDigits } from './loadDigits.ts';
import { measureStep } from './measureStep.ts';
import { Progress } from './progress.ts';
import type { Options } from './readOptions.ts';
import { reportPage } from './report/reportPage.ts';
import { type Results, resultTables } from './resultTables.ts';
import { type Run, runVariant } from './runVariant.ts';
import { textTable } from './textTable.ts';
import { variants } from './variants.ts';

const nextSteps = `Next:
  npm start -- --depth 10            a network that plain training can just train
  npm start -- --seeds 5 --epochs 6  more seeds, trained longer
  npm start -- --help                all options
  examples/mnist/variants.ts         the rule and the initialization, in ten lines
  docs/weight-norm-paper.md          the claims of the paper, measured
  docs/declarative.md                rules for your own model`;

/** Runs all parts of the example, prints the results and writes the report. */
export async function runExample(options: Options, signal: AbortSignal): Promise<void> {
  // Production mode keeps the advertisement for tfjs-node, which the backends print, out of the output.
  tf.enableProdMode();
  await tf.setBackend(options.backend);
  await tf.ready();

  const { training, test } = loadDigits(options.limit);
  console.log(
    `MNIST: ${count(training.labels.length)} digits to train on, ${count(test.labels.length)} to test with, on the ${options.backend} backend.`,
  );
  const runCount = options.seeds * variants.length;
  const steps = options.epochs * Math.ceil(training.labels.length / options.batchSize);
  const seconds = (runCount * steps * (await measureStep(training, options, signal))) / 1000;
  console.log(
    `${runCount} runs of ${count(steps)} steps of ${options.batchSize} digits: about ${duration(seconds)}.\n`,
  );

  const progress = new Progress(process.stdout);
  const runs: Run[] = [];
  for (let seed = 1; seed <= options.seeds; seed++) {
    for (const variant of variants) {
      runs.push(await runVariant(variant, seed, { training, test, options, progress, signal }));
    }
  }
  progress.line('A constraint of tf.layers, and a discriminator.');
  const norms = await constraintInFit(training, signal);
  const critics = await criticCosts(training, signal);
  const results: Results = { runs, norms, critics };
  writeFileSync(options.report, reportPage(results, options));

  for (const table of resultTables(results)) console.log(`\n${textTable(table)}`);
  console.log(`\n${conclusions(results).join('\n')}`);
  console.log(`\nThe plots are in ${resolve(options.report)}; open it in a browser.\n\n${nextSteps}`);
}

const count = (value: number): string => value.toLocaleString('en');

const duration = (seconds: number): string =>
  seconds < 100 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} minutes`;
