import { Command } from 'commander';
import { optionsOf, wholeNumber } from '../mnist/optionTypes.ts';

/** The options of the command line. */
export interface Options {
  readonly seeds: number;
  readonly passes: number;
  readonly digits: number;
  readonly folder: string;
  readonly write: boolean;
}

const usage =
  'Usage: npm run example:personalize -- [options]; npm run example:personalize -- --help lists them.';

/** Reads the command line; a bad option or value is one line on stderr and exit code 2. */
export const readOptions = (argv: readonly string[]): Options =>
  optionsOf(
    new Command('npm run example:personalize --')
      .description(
        'Teaches a network of the digits 0 to 4 the digits 5 to 9, by adapters and by training it all.',
      )
      .option('--seeds <n>', 'repeat everything with seeds 1 to n', wholeNumber(1, 100), 5)
      .option('--passes <n>', 'passes over the digits with each learning rate', wholeNumber(1, 100), 4)
      .option('--digits <n>', 'use so many of the 10,000 digits', wholeNumber(200, 10_000), 10_000)
      .option(
        '--folder <path>',
        'where to write the files of the base and of the adapter',
        '.cache/personalize',
      )
      .option('--write', 'put the results into docs/fine-tuning.md', false),
    usage,
    argv,
  );
