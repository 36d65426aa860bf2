/**
 * Reads a million damaged checkpoints: whatever is in them, they are read or refused with a coded error, in little time and
 * memory.
 *
 *     npm run fuzz                                   a million mutants of the files in test/checkpoint
 *     npm run fuzz -- --mutants 1000 --seed 123      repeats a finding, which names its seed
 */
import '@tensorflow/tfjs';
import { Worker } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { Command, InvalidArgumentError } from 'commander';
import { readMutants } from '../test/checkpoint/formats/readMutants.ts';

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
};

const { mutants, seed } = new Command('fuzz')
  .option('--mutants <n>', 'files to read', count, 1_000_000)
  .option('--seed <n>', 'where the random numbers begin', count, 1)
  .parse()
  .opts<{ mutants: number; seed: number }>();

await tf.setBackend('cpu');

/** What the process may grow to: what one file took is free again, whatever came of it. */
const mostMemory = 2 ** 30;

// A file that never ends keeps this thread for ever: another one watches which it is, and ends the process.
const current = new BigInt64Array(new SharedArrayBuffer(8));
const watch = new Worker(
  `const { workerData } = require('node:worker_threads');
   let last, since;
   setInterval(() => {
     const seed = Atomics.load(workerData, 0);
     if (seed !== last) [last, since] = [seed, Date.now()];
     else if (seed >= 0n && Date.now() - since > 20_000) {
       require('node:fs').writeSync(1, 'seed ' + seed + ': does not end\\n');
       process.kill(process.pid, 'SIGKILL');
     }
   }, 1000);`,
  { eval: true, workerData: current },
);

const [refused, findings] = [new Map<string, number>(), [] as string[]];
let [read, slowest, memory] = [0, 0, 0];
const batch = 10_000;
for (let done = 0; done < mutants; done += batch) {
  const outcomes = readMutants(
    Math.min(batch, mutants - done),
    seed + done,
    (mutant) => void Atomics.store(current, 0, BigInt(mutant)),
    2000,
  );
  read += outcomes.read;
  slowest = Math.max(slowest, outcomes.slowest);
  memory = Math.max(memory, process.memoryUsage.rss());
  findings.push(...outcomes.findings);
  for (const [code, number] of Object.entries(outcomes.refused))
    refused.set(code, (refused.get(code) ?? 0) + number);
  for (const finding of outcomes.findings) console.log(finding);
  // An async read would also let tfjs clean up; this lets signals through.
  await new Promise((resolve) => setImmediate(resolve));
  if (process.stdout.isTTY) process.stdout.write(`\r${Math.min(done + batch, mutants)} of ${mutants}`);
}
const codes = [...refused].sort(([, a], [, b]) => b - a).map(([code, number]) => `${number} ${code}`);
await watch.terminate();
if (memory > mostMemory) findings.push(`the process took ${Math.round(memory / 2 ** 20)} MiB`);
console.log(`\n${mutants} mutants from seed ${seed}: ${read} read; refused: ${codes.join(', ')}.`);
console.log(
  `The slowest took ${slowest.toFixed(1)} ms; the process ${Math.round(memory / 2 ** 20)} MiB at most.`,
);
console.log(`${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
