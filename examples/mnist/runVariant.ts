import * as tf from '@tensorflow/tfjs-core';
import { isParametrized, nn } from 'tfjs-parametrize';
import { batches } from './batches.ts';
import { DeepNet } from './deepNet.ts';
import type { Digits } from './digits.ts';
import { type FoldResult, foldNetwork } from './foldNetwork.ts';
import { outputSpreads } from './outputSpreads.ts';
import { accuracyOf, predict } from './predict.ts';
import type { Progress } from './progress.ts';
import { randomSequence } from './randomSequence.ts';
import { type TrainingOptions, train } from './train.ts';
import type { Variant } from './variants.ts';

/** What one run came to. */
export interface Run {
  /** The name of its variant. */
  readonly name: string;
  readonly seed: number;
  /** Of every layer before the first step. */
  readonly spreads: readonly number[];
  /** Of every step. */
  readonly losses: readonly number[];
  /** Of every step, in milliseconds. */
  readonly durations: readonly number[];
  /** On the test digits, after every epoch. */
  readonly accuracies: readonly number[];
  /** `tf.memory().numTensors` before the run and after its network is disposed. */
  readonly tensors: { readonly before: number; readonly after: number };
  /** What folding the trained network did; null for the plain one. */
  readonly fold: FoldResult | null;
}

/** What the runs share. */
export interface Setting {
  readonly training: Digits;
  readonly test: Digits;
  readonly options: TrainingOptions & { readonly depth: number; readonly epochs: number };
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Makes a network, trains it and disposes it. The same seed makes the same initial weights and batches every time. */
export async function runVariant(variant: Variant, seed: number, setting: Setting): Promise<Run> {
  const before = tf.memory().numTensors;
  nn.manualSeed(seed);
  const network = new DeepNet(setting.options.depth);
  try {
    const history = await trainAndTest(network, variant, seed, setting);
    const isNormalized = isParametrized(network.layers.at(0));
    const fold = isNormalized ? await foldNetwork(network, setting.test, setting.signal) : null;
    network.dispose();
    return { ...history, fold, tensors: { before, after: tf.memory().numTensors } };
  } finally {
    network.dispose();
    setting.progress.stop();
  }
}

async function trainAndTest(
  network: DeepNet,
  { name, prepare }: Variant,
  seed: number,
  { training, test, options, progress, signal }: Setting,
): Promise<Omit<Run, 'fold' | 'tensors'>> {
  const title = `seed ${seed}, ${name}`;
  progress.start(title, options.epochs * Math.ceil(training.labels.length / options.batchSize));
  let spreads: number[] = [];
  // The batch that the training begins with.
  for (const { images } of batches(training, options.batchSize, randomSequence(seed))) {
    await prepare(network, images);
    spreads = await outputSpreads(network, images);
    break;
  }
  const losses: number[] = [];
  const durations: number[] = [];
  const accuracies: number[] = [];
  await train(
    network,
    training,
    seed,
    options,
    {
      step(loss, duration) {
        losses.push(loss);
        durations.push(duration);
        progress.step(loss);
      },
      async epoch(epoch) {
        const accuracy = accuracyOf(await predict(network, test, signal), test);
        accuracies.push(accuracy);
        progress.line(
          `${title}: epoch ${epoch} of ${options.epochs}, test accuracy ${(100 * accuracy).toFixed(1)} %`,
        );
      },
    },
    signal,
  );
  return { name, seed, spreads, losses, durations, accuracies };
}
