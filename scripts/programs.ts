/**
 * Random programs (nested gradients, nested chains, optimizers, copies, scopes, removals) on a module, compared with a
 * reference in plain operations of tfjs that caches nothing.
 *
 *     npm run programs                                    10,000 programs on cpu
 *     npm run programs -- --backend wasm --count 2000
 *     npm run programs -- --seed 1234 --count 1           repeats a failure
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { Command, InvalidArgumentError } from 'commander';
import { runProgram } from '../test/parametrize/programs/runProgram.ts';
import { performed } from '../test/parametrize/programs/world.ts';

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
};

const options = new Command('programs')
  .option('--count <n>', 'programs', whole, 10_000)
  .option('--seed <n>', 'seed of the first; each has the next number', whole, 1)
  .option('--backend <name>', 'cpu or wasm', 'cpu')
  .option('--failures <n>', 'how many failures end the run', whole, 5)
  .parse()
  .opts<{ count: number; seed: number; backend: string; failures: number }>();

await tf.setBackend(options.backend);
let failures = 0;
let done = 0;
for (; done < options.count && failures < options.failures; done++) {
  const failure = runProgram(options.seed + done);
  if (failure !== null) {
    failures++;
    process.stdout.write(`${failure}\n\n`);
  }
  if ((done + 1) % 500 === 0) process.stdout.write(`${done + 1} programs, ${failures} failures\n`);
}
process.stdout.write(
  `${done} programs from seed ${options.seed} on ${options.backend}: ${failures} failures\n`,
);
process.stdout.write(`performed: ${[...performed].map(([what, times]) => `${what} ${times}`).join(', ')}\n`);
process.exitCode = failures === 0 ? 0 : 1;
