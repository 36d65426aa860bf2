import { Command, InvalidArgumentError, Option } from 'commander';
import { pythonWithTorch } from './torchWorker.ts';

/** What the command line of a benchmark says. */
export interface Options {
  readonly rounds: number;
  readonly sizes: readonly string[];
  readonly json: boolean;
  /** These two only where the benchmark compares with PyTorch. */
  readonly torch: boolean;
  readonly python?: string;
  /** Only where the benchmark has a page. */
  readonly write?: boolean;
}

/**
 * Reads the command line; a bad option or value ends the process with a message.
 *
 * @param page - the file that `--write` puts the results into, if there is one
 * @param comparesWithTorch - whether there are options about PyTorch
 */
export function readOptions(
  name: string,
  description: string,
  sizes: readonly string[],
  argv: readonly string[],
  page?: string,
  comparesWithTorch = true,
): Options {
  const command = new Command(`npm run ${name} --`)
    .description(description)
    .option('--rounds <n>', 'turns of every contestant', wholeNumber, 9)
    .addOption(
      new Option('--sizes <names>', `which cases, with commas between them: ${sizes.join(', ')}`)
        .argParser((text) => namesOf(text, sizes))
        .default(sizes, 'all'),
    )
    .option('--json', 'print the results as JSON', false);
  if (comparesWithTorch) {
    command
      .option('--no-torch', 'leave PyTorch out')
      .option(
        '--python <file>',
        'a Python interpreter that has PyTorch; by default one is looked for',
        withTorch,
      );
  }
  if (page !== undefined) command.option('--write', `put the results into ${page}`, false);
  return command.parse(argv, { from: 'user' }).opts<Options>();
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) {
    throw new InvalidArgumentError('It must be a whole number above 0.');
  }
  return value;
}

function withTorch(text: string): string {
  if (pythonWithTorch([text]) === undefined) throw new InvalidArgumentError('It cannot import torch.');
  return text;
}

function namesOf(text: string, known: readonly string[]): string[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new InvalidArgumentError(`There is no '${unknown.join("', '")}'; there are: ${known.join(', ')}.`);
  }
  return names;
}
