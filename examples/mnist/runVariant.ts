import * as tf from '@tensorflow/tfjs-core';
import { cached, nn, weightNorm } from 'tfjs-parametrize';
import { DigitNet } from './digitNet.ts';
import { type FoldResult, foldNetwork } from './foldNetwork.ts';
import type { Digits } from './loadDigits.ts';
import { accuracyOf, predict } from './predict.ts';
import type { Progress } from './progress.ts';
import { type TrainingOptions, train } from './train.ts';
import { addUsage, type Usage, usageOf } from './usageOf.ts';

/** One way to train the network. */
export interface Variant {
  readonly name: string;
  readonly normalized: boolean;
  readonly cached: boolean;
}

/** What one run came to. */
export interface Run {
  readonly name: string;
  /** Of every step. */
  readonly losses: number[];
  /** Of every step, in milliseconds. */
  readonly durations: number[];
  /** On the test digits, after every epoch. */
  readonly accuracies: number[];
  /** Of the parametrized weights, by the training steps and by the passes over the test digits. */
  readonly usage: { readonly training: Usage; readonly testing: Usage };
  /** `tf.memory().numTensors` before the run and after its network is disposed. */
  readonly tensors: { before: number; after: number };
  /** What folding the trained network did; null for the plain one. */
  readonly fold: FoldResult | null;
}

/** What the runs share. */
export interface Setting {
  readonly training: Digits;
  readonly test: Digits;
  readonly options: TrainingOptions;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Makes a network, trains it and disposes it. The same seed makes the same initial weights and batches every time. */
export async function runVariant(variant: Variant, setting: Setting): Promise<Run> {
  const before = tf.memory().numTensors;
  nn.manualSeed(setting.options.seed);
  const network = new DigitNet();
  try {
    if (variant.normalized) for (const layer of network.layers()) weightNorm(layer);
    const history = variant.cached
      ? await cached(() => trainAndTest(network, variant, setting))
      : await trainAndTest(network, variant, setting);
    const fold = variant.normalized ? await foldNetwork(network, setting.test, setting.signal) : null;
    network.dispose();
    return { ...history, fold, tensors: { before, after: tf.memory().numTensors } };
  } finally {
    network.dispose();
    setting.progress.stop();
  }
}

type History = Omit<Run, 'fold' | 'tensors'>;

async function trainAndTest(network: DigitNet, { name }: Variant, setting: Setting): Promise<History> {
  const { training, test, options, progress, signal } = setting;
  const history: History = {
    name,
    losses: [],
    durations: [],
    accuracies: [],
    usage: { training: { reads: 0, evaluations: 0 }, testing: { reads: 0, evaluations: 0 } },
  };
  let seen = usageOf(network);
  const countFor = (phase: 'training' | 'testing') => {
    const now = usageOf(network);
    addUsage(history.usage[phase], seen, now);
    seen = now;
  };
  const stepsPerEpoch = Math.ceil(training.labels.length / options.batchSize);
  progress.start(name, options.epochs * stepsPerEpoch);
  await train(
    network,
    training,
    options,
    {
      step(loss, duration) {
        history.losses.push(loss);
        history.durations.push(duration);
        progress.step(loss);
      },
      async epoch(epoch) {
        countFor('training');
        const accuracy = accuracyOf(await predict(network, test, signal), test);
        history.accuracies.push(accuracy);
        countFor('testing');
        progress.line(
          `${name}: epoch ${epoch} of ${options.epochs}, test accuracy ${(100 * accuracy).toFixed(2)} %`,
        );
      },
    },
    signal,
  );
  return history;
}
