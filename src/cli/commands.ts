import { keyFormats } from '../nn/stateDict/keyFormat.ts';
import { type ApplyOptions, apply } from './apply.ts';
import { type ConvertOptions, convert } from './convert.ts';
import { type InspectOptions, inspect } from './inspect.ts';
import type { Terminal } from './run.ts';

/** An option of a command. */
export interface CommandOption {
  /** The forms of the option: `-o, --output <file>`. The short form may be missing, and a flag has no value. */
  readonly flags: string;
  readonly text: string;
  readonly isRequired?: boolean;
  /** True if the option may be repeated. Its value is then an array. */
  readonly isRepeatable?: boolean;
  /** The allowed values. */
  readonly choices?: readonly string[];
}

/** A command, which reads one file. */
export interface Command {
  readonly name: string;
  readonly text: string;
  /** The description of the recipe argument, which comes before the file; absent if the command takes none. */
  readonly recipe?: string;
  /** The description of the file argument. */
  readonly file: string;
  readonly options: readonly CommandOption[];
  /** Runs the command. `values` has the options by their names in camelCase. */
  run(file: string, values: object, terminal: Terminal): Promise<void>;
}

const output: CommandOption = {
  flags: '-o, --output <file>',
  text: 'the safetensors file to write, or to replace',
  isRequired: true,
};
const prefix: CommandOption = {
  flags: '--prefix <path>',
  text: 'take only the tensors below this path, and leave the path out of their names',
};
const exclude: CommandOption = {
  flags: '--exclude <glob>',
  text: 'leave the weights of these names as they are; may be given several times',
  isRepeatable: true,
};
const json: CommandOption = { flags: '--json', text: 'print JSON' };

/** The commands of `tfjs-parametrize`. */
export const commands: readonly Command[] = [
  {
    name: 'inspect',
    text: 'list the tensors of a file, its parametrizations and its ties',
    file: '.pt, .pth, .ckpt, .safetensors, or an index of shards; a path or a URL',
    options: [prefix, json],
    run: (file, values, terminal) => inspect(file, values as InspectOptions, terminal),
  },
  {
    name: 'fold',
    text: 'compute plain weights of parametrized ones, by their names or by the recipe in the file',
    file: 'a path or a URL',
    options: [output, prefix, exclude, json],
    run: (file, values, terminal) =>
      convert('fold', file, { ...(values as ConvertOptions), keyFormat: 'folded' }, terminal),
  },
  {
    name: 'convert',
    text: 'write the tensors as safetensors, in one key format',
    file: 'a path or a URL',
    options: [
      output,
      {
        flags: '--key-format <name>',
        text: 'how normalized weights are named; folded computes them',
        isRequired: true,
        choices: keyFormats,
      },
      prefix,
      exclude,
      json,
    ],
    run: (file, values, terminal) => convert('convert', file, values as ConvertOptions, terminal),
  },
  {
    name: 'apply',
    text: 'register the parametrizations of a recipe, or of rules, on the plain tensors of a file',
    recipe: 'a JSON file: what recipeOf(model) returns, or an array of rules; a path',
    file: 'a path or a URL',
    options: [
      output,
      {
        flags: '--key-format <name>',
        text: 'how normalized weights are named; default modern',
        choices: keyFormats.filter((name) => name !== 'folded'),
      },
      prefix,
      json,
    ],
    run: (file, values, terminal) => apply(file, values as ApplyOptions, terminal),
  },
];
