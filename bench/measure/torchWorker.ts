import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProcessWorker } from './processWorker.ts';
import type { Options } from './readOptions.ts';

const script = fileURLToPath(new URL('torchWorker.py', import.meta.url));

/** The first of some Python interpreters that can import torch. */
export const pythonWithTorch = (candidates: readonly string[]): string | undefined =>
  candidates.find((python) => spawnSync(python, ['-c', 'import torch']).status === 0);

/**
 * Starts PyTorch, on one thread, if the options want it and a Python here has it; otherwise says so.
 *
 * @param work - a Python file that defines `make(case)`; see torchWorker.py
 */
export async function startTorch(
  { torch, python }: Pick<Options, 'torch' | 'python'>,
  work: string,
): Promise<ProcessWorker | undefined> {
  if (!torch) return undefined;
  const found = python ?? pythonWithTorch(['python3', '/usr/bin/python3']);
  if (found === undefined) {
    console.error('PyTorch is left out: no Python here can import torch. --python names one that can.');
    return undefined;
  }
  // Large results are otherwise mapped anew and zeroed by the system on every call, which is not PyTorch's work.
  return ProcessWorker.start(found, [script, work], {
    OMP_NUM_THREADS: '1',
    MALLOC_MMAP_THRESHOLD_: String(2 ** 30),
    MALLOC_TRIM_THRESHOLD_: String(2 ** 30),
  });
}
