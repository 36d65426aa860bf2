import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';

/** Reads the options of a command; a bad option or value is one line on stderr and exit code 2. */
export const optionsOf = <T extends object>(command: Command, usage: string, argv: readonly string[]): T =>
  command
    .helpOption('--help', 'show this')
    .configureOutput({
      outputError: (text, write) => write(`${text.trim().replaceAll(/\s*\n\s*/g, ' ')} ${usage}\n`),
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(argv, { from: 'user' })
    .opts<T>();

/** Reads a whole number in a range. */
export const wholeNumber =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };

/** Reads a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('It must be a number above 0.');
  }
  return value;
}

/** Reads the path of a file that can be written. It is found out now rather than after a minute of training. */
export function writableFile(text: string): string {
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
