import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { CheckpointError } from '../checkpoint/checkpointError.ts';
import { type ConvertOptions, convert } from './convert.ts';
import { type InspectOptions, inspect } from './inspect.ts';

/** What the commands write to. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** Whether somebody sees a progress bar. */
  readonly showsProgress: boolean;
  /** Ends what is under way. */
  readonly signal?: AbortSignal;
}

/** What a process of the command line ends with. */
const exitCodes = { ok: 0, refused: 1, usage: 2, interrupted: 130 } as const;

/**
 * Runs the command line.
 *
 * @param args - without the program
 * @returns the exit code: 0, 1 for a file that is refused, 2 for arguments that make no sense, 130 if it was interrupted
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await program(terminal).parseAsync([...args], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (terminal.signal?.aborted) return exitCodes.interrupted;
    if (!(error instanceof CheckpointError)) throw error;
    terminal.error(`error: ${error.message} [${error.code}]`);
    return error.code === 'OPTION' ? exitCodes.usage : exitCodes.refused;
  }
}

function program(terminal: Terminal): Command {
  const root = new Command('tfjs-parametrize')
    .description(
      'Looks into checkpoints of PyTorch and safetensors, and rewrites them. Nothing in a file is run.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.error(text.trimEnd()),
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 the file is refused, 2 the arguments make no sense, 130 interrupted.',
    );
  const output = () =>
    new Option('-o, --output <file>', 'the safetensors file to write, or to replace').makeOptionMandatory();
  const prefix = () => new Option('--prefix <path>', 'only what stands below this path, without it');
  const exclude = () =>
    new Option(
      '--exclude <glob>',
      'leave the weights of these names as they are; may be given several times',
    ).argParser((glob: string, before: readonly string[] = []) => [...before, glob]);
  const json = () => new Option('--json', 'print JSON');

  root
    .command('inspect')
    .description('list the tensors of a file, what is parametrized and how, and what is tied')
    .argument('<file>', '.pt, .pth, .ckpt, .safetensors, or an index of shards; a path or a URL')
    .addOption(prefix())
    .addOption(json())
    .action((file: string, options: InspectOptions) => inspect(file, options, terminal));

  root
    .command('fold')
    .description('compute the plain weights of what is parametrized, as names or a recipe in the file tell')
    .argument('<file>', 'a path or a URL')
    .addOption(output())
    .addOption(prefix())
    .addOption(exclude())
    .addOption(json())
    .action((file: string, options: ConvertOptions) =>
      convert('fold', file, { ...options, keyFormat: 'folded' }, terminal),
    );

  root
    .command('convert')
    .description('write the tensors as safetensors, in one key format')
    .argument('<file>', 'a path or a URL')
    .addOption(output())
    .addOption(
      new Option('--key-format <name>', 'how normalized weights are named; folded computes them')
        .choices(['modern', 'legacy', 'folded'])
        .makeOptionMandatory(),
    )
    .addOption(prefix())
    .addOption(exclude())
    .addOption(json())
    .action((file: string, options: ConvertOptions) => convert('convert', file, options, terminal));

  return root;
}

/** The same file from the sources and from what is built of them. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
