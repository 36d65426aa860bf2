import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';

/** What the command line says. */
export interface Options {
  readonly depth: number;
  readonly seeds: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly backend: 'wasm' | 'cpu';
  readonly report: string;
  readonly limit: number;
}

const usage = 'Usage: npm start -- [options]; npm start -- --help lists them.';

/** Reads the command line; a bad option or value is one line on stderr and exit code 2. */
export function readOptions(argv: readonly string[]): Options {
  return new Command('npm start --')
    .description(
      'Trains a deep network on MNIST digits: plain, weight-normalized, and initialized from a batch.',
    )
    .option('--depth <n>', 'linear layers of the network', wholeNumber(2, 100), 20)
    .option('--seeds <n>', 'repeat everything with seeds 1 to n', wholeNumber(1, 100), 2)
    .option('--epochs <n>', 'passes over the training digits', wholeNumber(1, 1000), 3)
    .option('--batch-size <n>', 'digits in one step', wholeNumber(2, 10_000), 64)
    .option('--learning-rate <x>', 'of Adam', positiveNumber, 0.001)
    .addOption(new Option('--backend <name>', 'of TensorFlow.js').choices(['wasm', 'cpu']).default('wasm'))
    .option('--report <file>', 'where to write the report', writableFile, 'report.html')
    .option(
      '--limit <n>',
      'use so many of the 10,000 digits; a fifth is for testing',
      wholeNumber(50, 10_000),
      5620,
    )
    .helpOption('--help', 'show this')
    .configureOutput({
      outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')} ${usage}\n`),
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(argv, { from: 'user' })
    .opts<Options>();
}

const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };

function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('It must be a number above 0.');
  }
  return value;
}

/** Found out now rather than after a minute of training. */
function writableFile(text: string): string {
  try {
    const existing = statSync(text, { throwIfNoEntry: false });
    if (existing?.isDirectory()) throw new InvalidArgumentError('It is a folder.');
    accessSync(existing ? text : dirname(resolve(text)), constants.W_OK);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error;
    throw new InvalidArgumentError('It cannot be written.');
  }
  return text;
}
