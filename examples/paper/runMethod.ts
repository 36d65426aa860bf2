import { nn } from 'tfjs-parametrize';
import { batches } from '../mnist/batches.ts';
import type { Digits } from '../mnist/digits.ts';
import { accuracyOf, predict } from '../mnist/predict.ts';
import { randomSequence } from '../mnist/randomSequence.ts';
import { train } from '../mnist/train.ts';
import { batchNoise } from './batchNoise.ts';
import { directionLengths } from './directionLengths.ts';
import { type Method, prepare } from './methods.ts';
import { Network } from './network.ts';

/** One run: a method with a learning rate and a seed. */
export interface Run {
  readonly method: Method;
  readonly rate: number;
  readonly seed: number;
  /** Of every step. */
  readonly losses: readonly number[];
  /** The part of the test digits that is not recognized. */
  readonly testError: number;
  /** The mean of ‖v‖ after training over that before; 1 without weight norm. */
  readonly growth: number;
  /** See {@link batchNoise}. */
  readonly noise: number;
  /** The processor time of a step, in milliseconds. */
  readonly time: number;
}

/** The settings that all runs share. */
export interface Setting {
  readonly training: Digits;
  readonly test: Digits;
  readonly steps: number;
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Trains a network. The same seed makes the same initial weights and batches for every method and rate. */
export async function runMethod(method: Method, rate: number, seed: number, setting: Setting): Promise<Run> {
  const { training, test, steps, batchSize, signal } = setting;
  nn.manualSeed(seed);
  const network = new Network(method.normalization);
  try {
    for (const { images } of batches(training, batchSize, randomSequence(seed))) {
      await prepare(network, method, images);
      break;
    }
    const before = await directionLengths(network);
    const losses: number[] = [];
    const begin = process.cpuUsage();
    await train(
      network,
      training,
      seed,
      { steps, batchSize, learningRate: rate },
      { step: (loss) => void losses.push(loss), async epoch() {} },
      signal,
    );
    const time = process.cpuUsage(begin).user / 1000 / steps;
    const after = await directionLengths(network);
    const testError = 1 - accuracyOf(await predict(network, test, signal), test);
    const noise = await batchNoise(network, test, signal);
    return { method, rate, seed, losses, testError, growth: before === 0 ? 1 : after / before, noise, time };
  } finally {
    network.dispose();
  }
}
