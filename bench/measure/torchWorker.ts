import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Fingerprint } from './fingerprint.ts';

const script = fileURLToPath(new URL('torchWorker.py', import.meta.url));

/** The first of some Python interpreters that can import torch. */
export const pythonWithTorch = (candidates: readonly string[]): string | undefined =>
  candidates.find((python) => spawnSync(python, ['-c', 'import torch']).status === 0);

/** A Python process that does work in PyTorch, on one thread, whenever it is asked to. */
export class TorchWorker {
  /** The version of PyTorch. */
  readonly version: string;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, version: string) {
    this.child = child;
    this.lines = lines;
    this.version = version;
  }

  /**
   * Starts the process.
   *
   * @param work - a Python file that defines `make(case)`; see torchWorker.py
   */
  static async start(python: string, work: string): Promise<TorchWorker> {
    const child = spawn(python, [script, work], {
      // Large results are otherwise mapped anew and zeroed by the system on every call, which is not PyTorch's work.
      env: {
        ...process.env,
        OMP_NUM_THREADS: '1',
        MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
        MALLOC_TRIM_THRESHOLD_: String(2 ** 30),
      },
    });
    child.stderr.pipe(process.stderr);
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    return new TorchWorker(child, lines, await nextAnswer<string>(lines));
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
  if (done) throw new Error('The Python process has ended; what it said stands above.');
  return JSON.parse(value) as T;
}
