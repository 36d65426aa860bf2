/**
 * A million reads and ten thousand training steps, which must leave as many tensors and bytes as they found.
 *
 *     npm run soak                              a million reads, ten thousand steps, on wasm
 *     npm run soak -- --reads 1000 --steps 10 --backend cpu
 */
import '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { Command, InvalidArgumentError } from 'commander';
import { cached, nn, Parametrization, registerParametrization, weightNorm } from '../src/index.ts';

/** Not pure: reads outside of a tidy are the caller's. */
class Jitter extends Parametrization {
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, tf.randomUniform(x.shape, 0.99, 1.01));
  }
  override rightInverse(x: tf.Tensor): tf.Tensor {
    return x;
  }
}

const count = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number');
  return value;
};

const options = new Command('soak')
  .option('--reads <n>', 'reads in all', count, 1_000_000)
  .option('--steps <n>', 'training steps in all', count, 10_000)
  .option('--backend <name>', 'cpu or wasm', 'wasm')
  .parse()
  .opts<{ reads: number; steps: number; backend: string }>();

await tf.setBackend(options.backend);
await tf.ready();

const { numTensors, numBytes } = tf.memory();
const model = new nn.Sequential(new nn.Linear(8, 8), new nn.Tanh(), new nn.Linear(8, 4));
const [first, , last] = [...model] as [nn.Linear, nn.Module, nn.Linear];
weightNorm(first);
registerParametrization(last, 'weight', new Jitter());
const x = tf.randomNormal([4, 8]);
const optimizer = tf.train.adam(1e-3);
const step = () => {
  optimizer.minimize(() => tf.mean(tf.square(model.call(x))) as tf.Scalar, false, model.parameters());
};

const reads: (() => void)[] = [
  () => void first.weight,
  () => last.weight.dispose(),
  () => tf.tidy(() => void first.weight),
  () => tf.tidy(() => void last.weight),
  () => cached(() => tf.tidy(() => void last.weight)),
];
for (let i = 0; i < options.reads; i++) reads[i % reads.length]!();

// In runs of a hundred, plain and cached by turns, so that scopes open and close among the steps.
for (let done = 0; done < options.steps; done += 100) {
  const run = () => {
    for (let i = 0; i < Math.min(100, options.steps - done); i++) step();
  };
  if ((done / 100) % 2 === 0) run();
  else cached(run);
}

const during = tf.memory().numTensors;
model.dispose();
optimizer.dispose();
x.dispose();
const after = tf.memory();
const ok = after.numTensors === numTensors && after.numBytes === numBytes;
console.log(
  `${options.reads} reads and ${options.steps} steps on ${options.backend}: ${during} tensors while they ran,`,
);
console.log(
  `${numTensors} tensors and ${numBytes} bytes before, ${after.numTensors} and ${after.numBytes} after: ${ok ? 'ok' : 'LEAK'}`,
);
process.exitCode = ok ? 0 : 1;
