import { parseArgs } from 'node:util';
import { didYouMean } from '../core/text.ts';
import type { Command, CommandOption } from './commands.ts';

/** The error for invalid arguments. The message names them and has no prefix. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
}

/** The value of an option; an array if the option may be repeated. */
type Value = string | boolean | readonly string[];

/** The file and the options of a command. */
export interface ParsedCommand {
  readonly file: string;
  readonly values: Readonly<Record<string, Value>>;
}

/**
 * Reads the arguments of a command.
 *
 * @returns the file and the options, or null for `--help`
 * @throws {@link UsageError} for unknown, missing and superfluous arguments, and for values that an option does not
 * take
 */
export function parseCommand(
  { options, recipe: takesRecipe }: Command,
  args: readonly string[],
): ParsedCommand | null {
  const known = new Map(options.map((option) => [nameOf(option), option]));
  const { values, positionals } = parsed(known, args);
  if (values['help'] === true) return null;
  const [recipe, file, ...superfluous] =
    takesRecipe === undefined ? [undefined, ...positionals] : positionals;
  if (takesRecipe !== undefined && recipe === undefined) {
    throw new UsageError("missing required argument 'recipe'");
  }
  if (file === undefined) throw new UsageError("missing required argument 'file'");
  if (superfluous.length > 0) {
    const expected = takesRecipe === undefined ? 'one file' : 'a recipe and one file';
    throw new UsageError(`too many arguments: expected ${expected}, got ${positionals.length}`);
  }
  for (const [name, { flags, isRequired, choices }] of known) {
    const value = values[name];
    if (value === undefined && isRequired) throw new UsageError(`required option '${flags}' is missing`);
    if (value !== undefined && choices !== undefined && !choices.includes(String(value))) {
      throw new UsageError(`option '${flags}' is '${value}'. Allowed choices are ${choices.join(', ')}.`);
    }
  }
  const camelCased = Object.entries(values).map(([name, value]) => [
    name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return { file, values: { ...Object.fromEntries(camelCased), ...(recipe !== undefined && { recipe }) } };
}

/** Parses the arguments by Node.js. The result has no precise type, because the options are data. */
function parsed(
  known: ReadonlyMap<string, CommandOption>,
  args: readonly string[],
): { values: Record<string, Value | undefined>; positionals: string[] } {
  const types = [...known].map(([name, { flags, isRepeatable = false }]) => {
    const short = /^-(\w), /.exec(flags)?.[1];
    const type = flags.includes('<') ? ('string' as const) : ('boolean' as const);
    return [name, { type, multiple: isRepeatable, ...(short !== undefined && { short }) }] as const;
  });
  try {
    return parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    }) as ReturnType<typeof parsed>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    const unknown = /Unknown option '(-*)([^']*)'/.exec(message);
    if (unknown === null) throw new UsageError(message.replace(/\.$/, ''));
    throw new UsageError(
      `unknown option '${unknown[1]}${unknown[2]}'.${didYouMean(unknown[2]!, known.keys())}`,
    );
  }
}

/** Returns the name of an option: `key-format` of `--key-format <name>`. */
const nameOf = ({ flags }: CommandOption): string => /--([\w-]+)/.exec(flags)![1]!;
