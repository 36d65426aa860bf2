import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { cached, describe, minimize, nn, parametrize, spectralNorm } from 'tfjs-parametrize';
import { batches } from './batches.ts';
import { type Digits, imageSize } from './digits.ts';
import { randomSequence } from './randomSequence.ts';

const batchSize = 64;
const width = 128;

/** The cost of the training of a discriminator. */
export interface CriticCost {
  readonly name: string;
  /** The steps of the power iteration in one training step, over all weights. */
  readonly iterationsPerStep: number;
  /** Of every step, in milliseconds. */
  readonly durations: readonly number[];
  /** The mean loss of the last ten steps. */
  readonly loss: number;
}

/** Trains a spectral-normalized discriminator to tell digits from two digits on each other, without `cached` and in it. */
export async function criticCosts(digits: Digits, signal: AbortSignal): Promise<CriticCost[]> {
  return [
    await costOf('each read iterates', digits, signal),
    await cached(() => costOf('in cached', digits, signal)),
  ];
}

async function costOf(name: string, digits: Digits, signal: AbortSignal): Promise<CriticCost> {
  nn.manualSeed(1);
  const critic = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(imageSize, width),
    new nn.LeakyReLU(0.2),
    new nn.Linear(width, width),
    new nn.LeakyReLU(0.2),
    new nn.Linear(width, 1),
  );
  parametrize(critic, [{ type: nn.Linear, apply: spectralNorm }]);
  // In training, an evaluation is one step of the power iteration.
  const iterations = (): number => describe(critic).rows.reduce((sum, row) => sum + row.evaluations, 0);
  const adam = tf.train.adam(1e-3);
  const random = randomSequence(1);
  const durations: number[] = [];
  const losses: number[] = [];
  const before = iterations();
  try {
    for (const { images } of batches(digits, batchSize, random)) {
      const overlaid = tf.tidy(() => tf.maximum(images, tf.reverse(images, 0)));
      const begin = performance.now();
      // Real and overlaid digits go through the discriminator one after the other: two reads of each weight.
      const loss = minimize(adam, () => hingeLoss(critic.call(images), critic.call(overlaid)), critic, {
        returnCost: true,
      });
      losses.push((await loss.data())[0]!);
      durations.push(performance.now() - begin);
      tf.dispose([overlaid, loss]);
      await setImmediate();
      signal.throwIfAborted();
    }
    const last = losses.slice(-10);
    return {
      name,
      iterationsPerStep: (iterations() - before) / durations.length,
      durations,
      loss: last.reduce((sum, loss) => sum + loss, 0) / last.length,
    };
  } finally {
    critic.dispose();
    adam.dispose();
  }
}

const hingeLoss = (real: tf.Tensor, made: tf.Tensor): tf.Scalar =>
  tf.add(tf.mean(tf.relu(tf.sub(1, real))), tf.mean(tf.relu(tf.add(1, made))));
