/**
 * Reads the bad files one after the other and prints, as JSON, what each took: milliseconds, bytes in typed arrays, and the
 * growth of the process at its highest, where the system (Linux) tells.
 *
 *     node --expose-gc --max-semi-space-size=1 --import tsx test/checkpoint/measureBadFiles.ts
 */
import '@tensorflow/tfjs';
import { readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { readSafetensors, readTorch } from '../../src/checkpoint/index.ts';
import { badFile, badFiles } from './badFiles.ts';

await tf.setBackend('cpu');

let allocated = 0;

// Every array that is made anew; views of a buffer are none.
for (const name of [
  'ArrayBuffer',
  'Uint8Array',
  'Int32Array',
  'Float32Array',
  'Float64Array',
  'Uint16Array',
  'Uint32Array',
] as const) {
  globalThis[name] = new Proxy(globalThis[name], {
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget) as ArrayBuffer;
      if (!(args[0] instanceof ArrayBuffer)) allocated += made.byteLength;
      return made;
    },
  }) as never;
}

/** Kilobytes of a line of the status of this process. */
function status(line: string): number {
  try {
    return Number(
      new RegExp(`^${line}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1],
    );
  } catch {
    return Number.NaN;
  }
}

function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux: the numbers are not there either.
  }
}

function attempt(file: string, bytes: Uint8Array): string {
  try {
    tf.dispose((file.endsWith('.pt') ? readTorch(bytes) : readSafetensors(bytes)).tensors);
    return 'ok';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

// Once before, so that what the engine keeps for later (compiled code, its own heaps) is not counted.
for (const { file } of badFiles) attempt(file, badFile(file));
for (const { file } of badFiles) {
  const bytes = badFile(file);
  (globalThis as { gc?: () => void }).gc?.();
  resetPeak();
  const before = status('VmRSS');
  allocated = 0;
  const start = performance.now();
  const outcome = attempt(file, bytes);
  const milliseconds = performance.now() - start;
  console.log(
    JSON.stringify({ file, outcome, milliseconds, allocated, peak: (status('VmHWM') - before) * 1024 }),
  );
}
