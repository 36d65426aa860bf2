import { Command, Option } from 'commander';
import { optionsOf, positiveNumber, wholeNumber, writableFile } from './optionTypes.ts';

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
  const command = new Command('npm start --')
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
    );
  return optionsOf(command, usage, argv);
}
