import { run } from '../../src/cli/run.ts';

/** Runs the command line in this process: its exit code, and what it writes. */
export async function call(...args: string[]) {
  const [out, error]: string[][] = [[], []];
  const code = await run(args, {
    out: (text) => void out!.push(text),
    error: (text) => void error!.push(text),
    showsProgress: false,
  });
  return { code, out: out!.join('\n'), error: error!.join('\n') };
}
