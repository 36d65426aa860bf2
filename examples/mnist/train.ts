import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import { type Batch, batches } from './batches.ts';
import { DecayingAdam } from './decayingAdam.ts';
import type { DigitNet } from './digitNet.ts';
import { classCount, type Digits } from './loadDigits.ts';
import { randomSequence } from './randomSequence.ts';

/** How to train. */
export interface TrainingOptions {
  readonly epochs: number;
  readonly batchSize: number;
  /** Of the first step; the following ones fall linearly towards zero. */
  readonly learningRate: number;
  /** Of the order of the digits. */
  readonly seed: number;
}

/** What the training tells while it runs. */
export interface TrainingEvents {
  /** After every step, with the loss and how long the step took in milliseconds. */
  step(loss: number, duration: number): void;
  /** After every pass over the training digits, counted from one. May be async. */
  epoch(epoch: number): Promise<void>;
}

/**
 * Trains with Adam, step by step.
 *
 * @param signal - ends it with the signal's reason after the step that it is at
 */
export async function train(
  network: DigitNet,
  digits: Digits,
  options: TrainingOptions,
  events: TrainingEvents,
  signal: AbortSignal,
): Promise<void> {
  const random = randomSequence(options.seed);
  const steps = options.epochs * Math.ceil(digits.labels.length / options.batchSize);
  const optimizer = new DecayingAdam(options.learningRate, steps);
  const parameters = network.parameters();
  try {
    for (let epoch = 1; epoch <= options.epochs; epoch++) {
      for (const batch of batches(digits, options.batchSize, random)) {
        const begin = performance.now();
        const loss = optimizer.minimize(() => lossOf(network, batch), true, parameters)!;
        const [value] = await loss.data();
        const duration = performance.now() - begin;
        loss.dispose();
        events.step(value!, duration);
        // Lets signals and the progress bar have their turn: on wasm `data()` alone never leaves the task.
        await setImmediate();
        signal.throwIfAborted();
      }
      await events.epoch(epoch);
    }
  } finally {
    optimizer.dispose();
  }
}

function lossOf(network: DigitNet, { images, labels }: Batch): tf.Scalar {
  return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, classCount), network.call(images));
}
