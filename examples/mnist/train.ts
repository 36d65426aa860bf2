import * as tf from '@tensorflow/tfjs-core';
import { minimize, type nn } from 'tfjs-parametrize';
import { type Batch, batches } from './batches.ts';
import { classCount, type Digits } from './digits.ts';
import { randomSequence } from './randomSequence.ts';

/** How to train. */
export interface TrainingOptions {
  /** Passes over the digits. Default: as many as the steps need. */
  readonly epochs?: number;
  /** The number of steps. Default: those of all passes. */
  readonly steps?: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** What the training tells while it runs. */
export interface TrainingEvents {
  /** After every step, with the loss and how long the step took in milliseconds. May be async. */
  step(loss: number, duration: number): void | Promise<void>;
  /** After every pass over the training digits, counted from one. May be async. */
  epoch(epoch: number): Promise<void>;
}

/**
 * Trains with Adam, step by step.
 *
 * @param seed - of the order of the digits
 * @param signal - ends it with the signal's reason after the step that it is at
 */
export async function train(
  network: nn.Module,
  digits: Digits,
  seed: number,
  options: TrainingOptions,
  events: TrainingEvents,
  signal: AbortSignal,
): Promise<void> {
  const random = randomSequence(seed);
  const { epochs = Number.POSITIVE_INFINITY, steps = Number.POSITIVE_INFINITY, learningRate } = options;
  const optimizer = tf.train.adam(learningRate);
  let step = 0;
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      for (const batch of batches(digits, options.batchSize, random)) {
        const begin = performance.now();
        const loss = minimize(optimizer, () => lossOf(network, batch), network, { returnCost: true });
        const [value] = await loss.data();
        const duration = performance.now() - begin;
        loss.dispose();
        await events.step(value!, duration);
        // Lets signals, the progress bar and pages have their turn: on wasm `data()` alone never leaves the task.
        await tf.nextFrame();
        signal.throwIfAborted();
        if (++step >= steps) return;
      }
      await events.epoch(epoch);
    }
  } finally {
    optimizer.dispose();
  }
}

function lossOf(network: nn.Module, { images, labels }: Batch): tf.Scalar {
  const logits = network.call(images) as tf.Tensor;
  return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, classCount), logits);
}
