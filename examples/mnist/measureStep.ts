import { nn } from 'tfjs-parametrize';
import { DeepNet } from './deepNet.ts';
import { type Digits, imageSize } from './digits.ts';
import type { Options } from './readOptions.ts';
import { type TrainingEvents, train } from './train.ts';

/** The first steps of a process are several times as slow as all others. */
const steps = 8;

/** The milliseconds that a training step takes, from a few steps of a network that is thrown away. */
export async function measureStep(digits: Digits, options: Options, signal: AbortSignal): Promise<number> {
  const count = steps * options.batchSize;
  const some: Digits = {
    images: digits.images.subarray(0, count * imageSize),
    labels: digits.labels.subarray(0, count),
  };
  nn.manualSeed(0);
  const network = new DeepNet(options.depth);
  let last = 0;
  const events: TrainingEvents = {
    step(_, duration) {
      last = duration;
    },
    async epoch() {},
  };
  try {
    await train(network, some, 0, { ...options, epochs: 1 }, events, signal);
  } finally {
    network.dispose();
  }
  return last;
}
