import { textTable } from '../core/textTable.ts';
import type { Command } from './commands.ts';

const exitCodes =
  'Exit codes: 0 done, 1 the file is refused, 2 the arguments make no sense, 130 interrupted.';
const help = ['  -h, --help', 'print this help'];

/** The help of the program. */
export const programHelp = (commands: readonly Command[]): string =>
  `Usage: tfjs-parametrize <command> <file> [options]

Looks into checkpoints of PyTorch and safetensors, and rewrites them. No file can run code.

Commands:
${textTable(commands.map(({ name, recipe, text }) => [`  ${name}${recipe === undefined ? '' : ' <recipe>'} <file>`, text]))}

Options:
${textTable([['  -V, --version', 'print the version'], help])}

${exitCodes}`;

/** The help of one command. */
export const commandHelp = ({ name, text, recipe, file, options }: Command): string =>
  `Usage: tfjs-parametrize ${name}${recipe === undefined ? '' : ' <recipe>'} <file> [options]

${text[0]!.toUpperCase()}${text.slice(1)}.

Arguments:
${recipe === undefined ? '' : `  <recipe>  ${recipe}\n`}  <file>  ${file}

Options:
${textTable([
  ...options.map((option) => [
    `  ${option.flags}`,
    `${option.text}${option.choices ? ` (${option.choices.join(', ')})` : ''}${option.isRequired ? ', required' : ''}`,
  ]),
  help,
])}

${exitCodes}`;
