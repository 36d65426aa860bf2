import { readFileSync } from 'node:fs';
import { CheckpointError } from '../checkpoint/checkpointError.ts';
import { didYouMean } from '../core/text.ts';
import { commands } from './commands.ts';
import { commandHelp, programHelp } from './helpText.ts';
import { parseCommand, UsageError } from './parseCommand.ts';

/** The output of the commands. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** True if a progress bar can be shown. */
  readonly showsProgress: boolean;
  /** The signal that ends a running command. */
  readonly signal?: AbortSignal;
}

/** The exit codes of the process. */
const exitCodes = { ok: 0, refused: 1, usage: 2, interrupted: 130 } as const;

/**
 * Runs the command line.
 *
 * @param args - the arguments after the name of the program
 * @returns the exit code: 0, 1 for a refused file, 2 for wrong arguments, 130 after an interruption
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await runCommand(args, terminal);
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.error(`error: ${error.message}`);
      return exitCodes.usage;
    }
    if (terminal.signal?.aborted) return exitCodes.interrupted;
    if (!(error instanceof CheckpointError)) throw error;
    terminal.error(`error: ${error.message} [${error.code}]`);
    return error.code === 'OPTION' ? exitCodes.usage : exitCodes.refused;
  }
}

async function runCommand([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === undefined) {
    terminal.error(programHelp(commands));
    return exitCodes.usage;
  }
  if (name === '-V' || name === '--version') {
    terminal.out(packageVersion());
    return exitCodes.ok;
  }
  if (name === '-h' || name === '--help') {
    terminal.out(programHelp(commands));
    return exitCodes.ok;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = commands.map((candidate) => candidate.name);
    throw new UsageError(
      `unknown command '${name}'.${didYouMean(name, names)} There are ${names.join(', ')}.`,
    );
  }
  const parsed = parseCommand(command, args);
  if (parsed === null) terminal.out(commandHelp(command));
  else await command.run(parsed.file, parsed.values, terminal);
  return exitCodes.ok;
}

/** Reads the version from `package.json`, which is two folders above this file, both in `src` and in `dist`. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
