/**
 * Reads files one after the other and prints, as JSON, what each took: milliseconds, bytes in typed arrays, and the growth of
 * the process at its highest, where the system (Linux) tells. First the files of this folder, bad and good; then, of the large
 * files in the folder that it is given, one tensor of each, and what the command line makes of those that it folds.
 *
 *     node --expose-gc --max-semi-space-size=1 --import tsx test/checkpoint/formats/measureFiles.ts FOLDER
 */
import '@tensorflow/tfjs';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openSafetensors, openTorch, readSafetensors, readTorch } from '../../../src/checkpoint/index.ts';
import { run } from '../../../src/cli/run.ts';
import { badFile, badFiles } from './badFiles.ts';
import { goodFiles } from './goodFiles.ts';

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
// What files are read into, which Node.js does not make by those.
const { allocUnsafeSlow } = Buffer;
Buffer.allocUnsafeSlow = (size) => {
  allocated += size;
  return allocUnsafeSlow(size);
};

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

/** Runs something, and prints what it took under the name of a set of files and of one of them. */
async function measure(set: string, file: string, action: () => unknown): Promise<void> {
  (globalThis as { gc?: () => void }).gc?.();
  resetPeak();
  const before = status('VmRSS');
  allocated = 0;
  const start = performance.now();
  const outcome = await action();
  const milliseconds = performance.now() - start;
  const peak = (status('VmHWM') - before) * 1024;
  console.log(JSON.stringify({ set, file, outcome, milliseconds, allocated, peak }));
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
for (const { name, bytes } of goodFiles) attempt(name, bytes);
for (const { file } of badFiles) {
  const bytes = badFile(file);
  await measure('bad', file, () => attempt(file, bytes));
}
for (const { name, bytes } of goodFiles) await measure('good', name, () => attempt(name, bytes));

/** Reads the last tensor of a file. */
async function readOne(path: string): Promise<string> {
  const file = await (path.endsWith('.pt') ? openTorch(path) : openSafetensors(path));
  (await file.tensor(file.names.at(-1)!)).dispose();
  await file.close();
  return 'ok';
}

/** Reads all of them, one after the other. */
async function readAll(path: string): Promise<string> {
  const file = await (path.endsWith('.pt') ? openTorch(path) : openSafetensors(path));
  for (const name of file.names) (await file.tensor(name)).dispose();
  await file.close();
  return 'ok';
}

const terminal = { out: () => {}, error: console.error, showsProgress: false };
const folder = process.argv[2]!;
for (const file of readdirSync(folder)) {
  const path = join(folder, file);
  await measure('one tensor', file, () => readOne(path));
  await measure('one tensor', file, () => readOne(path));
  await measure('every tensor', file, () => readAll(path));
  const output = join(folder, 'output.safetensors');
  await measure('convert', file, () =>
    run(['convert', path, '--key-format', 'legacy', '-o', output], terminal),
  );
  await measure('fold', file, () => run(['fold', path, '-o', output], terminal));
}
