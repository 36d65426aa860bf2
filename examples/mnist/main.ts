import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { conclusions } from './conclusions.ts';
import { loadDigits } from './loadDigits.ts';
import { measureStep } from './measureStep.ts';
import { interruptedExitCode, onInterrupt } from './onInterrupt.ts';
import { Progress } from './progress.ts';
import { type Options, readOptions } from './readOptions.ts';
import { reportPage } from './report/reportPage.ts';
import { resultTable } from './resultTable.ts';
import { type Run, runVariant, type Variant } from './runVariant.ts';

const variants: readonly Variant[] = [
  { name: 'plain', normalized: false, cached: false },
  { name: 'weight norm', normalized: true, cached: false },
  { name: 'weight norm, cached', normalized: true, cached: true },
];

const nextSteps = `Next:
  npm start -- --epochs 10 --seed 2  train longer, from other weights
  npm start -- --help                all options
  examples/mnist/runVariant.ts       where the weights are normalized, cached and folded
  docs/writing-a-parametrization.md  a constraint of your own`;

async function main(options: Options, signal: AbortSignal): Promise<void> {
  // Production mode keeps the advertisement for tfjs-node, which the backends print, out of the output.
  tf.enableProdMode();
  await tf.setBackend(options.backend);
  await tf.ready();

  const { training, test } = loadDigits(options.limit);
  const steps = options.epochs * Math.ceil(training.labels.length / options.batchSize);
  console.log(
    `MNIST: ${count(training.labels.length)} digits to train on, ${count(test.labels.length)} to test with, on the ${options.backend} backend.`,
  );
  const seconds = (variants.length * steps * (await measureStep(training, options, signal))) / 1000;
  console.log(
    `${variants.length} runs of ${count(steps)} steps of ${options.batchSize} digits: about ${duration(seconds)}.\n`,
  );

  const progress = new Progress(process.stdout);
  const runs: Run[] = [];
  for (const variant of variants) {
    runs.push(await runVariant(variant, { training, test, options, progress, signal }));
  }
  writeFileSync(options.report, reportPage(runs, options));

  console.log(`\n${resultTable(runs)}\n`);
  for (const sentence of conclusions(runs)) console.log(sentence);
  console.log(`\nThe loss curves are in ${resolve(options.report)}; open it in a browser.\n\n${nextSteps}`);
}

const count = (value: number): string => value.toLocaleString('en');

const duration = (seconds: number): string =>
  seconds < 100 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} minutes`;

const options = readOptions(process.argv.slice(2));
const signal = onInterrupt();
try {
  await main(options, signal);
} catch (error) {
  if (!signal.aborted) throw error;
  console.error('Interrupted.');
  process.exitCode = interruptedExitCode;
}
