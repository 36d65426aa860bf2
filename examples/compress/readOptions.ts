import { Command } from 'commander';
import { optionsOf, wholeNumber } from '../mnist/optionTypes.ts';

/** The options of the command line. */
export interface Options {
  readonly seeds: number;
  readonly epochs: number;
  readonly digits: number;
  readonly write: boolean;
}

const usage = 'Usage: npm run example:compress -- [options]; npm run example:compress -- --help lists them.';

/** Reads the command line; a bad option or value is one line on stderr and exit code 2. */
export const readOptions = (argv: readonly string[]): Options =>
  optionsOf(
    new Command('npm run example:compress --')
      .description('Measures the accuracy of a digit network against the bytes of its file.')
      .option('--seeds <n>', 'repeat everything with seeds 1 to n', wholeNumber(1, 100), 5)
      .option(
        '--epochs <n>',
        'passes over the digits in each training; a third of them with rounded weights',
        wholeNumber(1, 100),
        6,
      )
      .option('--digits <n>', 'use so many of the 10,000 digits', wholeNumber(200, 10_000), 10_000)
      .option('--write', 'put the results into docs/fine-tuning.md, and the plot beside it', false),
    usage,
    argv,
  );
