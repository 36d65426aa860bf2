/**
 * Faults at every point of calls on models of more than 50 tensors: each step of tfjs (a kernel, a new tensor, a new
 * variable, an assignment) fails once, and nothing may have changed afterwards. See L5 in docs/laws.md.
 *
 *     npm run faults                                       every point of every call on cpu
 *     npm run faults -- --only fold --backend wasm         the calls whose name has the word
 *     npm run faults -- --points 24                        so many points of each call
 *     npm run faults -- --shard 0/4                        one of four parts of the points
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import 'tfjs-parametrize/layers';
import * as tf from '@tensorflow/tfjs-core';
import { Command, InvalidArgumentError } from 'commander';
import { layerCases } from '../test/model/faults/layerCases.ts';
import { moduleCases } from '../test/model/faults/moduleCases.ts';
import { runFaults } from '../test/model/faults/run.ts';

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a number from 1 on');
  return value;
};

const partOf = (text: string): [number, number] => {
  const [part, parts] = text.split('/').map(Number) as [number, number];
  if (!(Number.isInteger(part) && Number.isInteger(parts) && part >= 0 && part < parts))
    throw new InvalidArgumentError('expected a part from 0 on, and the number of parts, such as 0/4');
  return [part, parts];
};

const options = new Command('faults')
  .option('--only <word>', 'the calls whose name has the word', '')
  .option('--points <n>', 'points of each call; all without it', whole)
  .option('--shard <part/parts>', 'one part of the points', partOf)
  .option('--backend <name>', 'cpu or wasm', 'cpu')
  .option('--failures <n>', 'how many failures end a call', whole, 5)
  .parse()
  .opts<{ only: string; points?: number; shard?: [number, number]; backend: string; failures: number }>();

await tf.setBackend(options.backend);
const total = { steps: 0, injected: 0, passedOver: 0, failures: 0 };
for (const [name, make] of Object.entries({ ...moduleCases, ...layerCases })) {
  if (!name.includes(options.only)) continue;
  const { points, shard, failures: limit } = options;
  const started = performance.now();
  const { steps, injected, passedOver, failures } = await runFaults(make, {
    ...(points !== undefined && { most: points }),
    ...(shard && { shard }),
    failures: limit,
  });
  total.steps += steps;
  total.injected += injected;
  total.passedOver += passedOver;
  total.failures += failures.length;
  const seconds = Math.round((performance.now() - started) / 1000);
  const counts = `${injected} of ${steps} points, ${passedOver} passed over, ${failures.length} failures`;
  process.stdout.write(`${name}: ${counts} (${seconds} s)\n`);
  for (const failure of failures) process.stdout.write(`${failure}\n\n`);
}
process.stdout.write(`total on ${options.backend}: ${JSON.stringify(total)}\n`);
process.exitCode = total.failures === 0 ? 0 : 1;
