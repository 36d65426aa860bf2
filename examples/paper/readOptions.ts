import { Command } from 'commander';
import { optionsOf, wholeNumber, writableFile } from '../mnist/optionTypes.ts';

/** The options of the command line. */
export interface Options {
  readonly seeds: number;
  readonly steps: number;
  readonly digits: number;
  readonly document: string;
}

const usage = 'Usage: npm run example:paper -- [options]; npm run example:paper -- --help lists them.';

/** Reads the command line; a bad option or value is one line on stderr and exit code 2. */
export const readOptions = (argv: readonly string[]): Options =>
  optionsOf(
    new Command('npm run example:paper --')
      .description('Measures the claims of the paper about weight normalization on MNIST digits.')
      .option('--seeds <n>', 'repeat everything with seeds 1 to n', wholeNumber(1, 100), 5)
      .option('--steps <n>', 'training steps of a run', wholeNumber(2, 100_000), 250)
      .option('--digits <n>', 'use so many of the 10,000 digits', wholeNumber(200, 10_000), 10_000)
      .option(
        '--document <file>',
        'where to write the results; the plots go to paper/ beside it',
        writableFile,
        'docs/weight-norm-paper.md',
      ),
    usage,
    argv,
  );
