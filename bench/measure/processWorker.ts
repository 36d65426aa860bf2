import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Fingerprint } from './fingerprint.ts';

/** Another process that does work whenever it is asked to, and measures itself: a line of JSON in, one out. */
export class ProcessWorker {
  /** The version of what it works with. */
  readonly version: string;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, version: string) {
    this.child = child;
    this.lines = lines;
    this.version = version;
  }

  /**
   * Starts the process, whose first line is its version.
   *
   * @throws Error if it ends before
   */
  static async start(
    command: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<ProcessWorker> {
    const child = spawn(command, args, { env: { ...process.env, ...environment } });
    child.stderr.pipe(process.stderr);
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    return new ProcessWorker(child, lines, await nextAnswer<string>(lines));
  }

  /** Makes the work of one case ready; returns the fingerprints of what it computes. */
  make(work: object): Promise<Fingerprint[]> {
    return this.ask({ make: work });
  }

  /** Does the work so many times; returns how many milliseconds that took. */
  run(repetitions: number): Promise<number> {
    return this.ask({ run: repetitions });
  }

  /** Ends the process. */
  stop(): void {
    this.child.stdin.end();
  }

  private ask<T>(request: object): Promise<T> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    return nextAnswer<T>(this.lines);
  }
}

async function nextAnswer<T>(lines: AsyncIterator<string>): Promise<T> {
  const { value, done } = await lines.next();
  if (done) throw new Error('The process has ended; what it said stands above.');
  return JSON.parse(value) as T;
}
