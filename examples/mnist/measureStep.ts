import { nn } from 'tfjs-parametrize';
import { DigitNet } from './digitNet.ts';
import { type Digits, imageSide } from './loadDigits.ts';
import { type TrainingEvents, type TrainingOptions, train } from './train.ts';

/** The first steps of a process are several times as slow as all others. */
const steps = 6;

/** The milliseconds that a training step takes, from a few steps of a network that is thrown away. */
export async function measureStep(
  digits: Digits,
  options: TrainingOptions,
  signal: AbortSignal,
): Promise<number> {
  const count = steps * options.batchSize;
  const some: Digits = {
    images: digits.images.subarray(0, count * imageSide ** 2),
    labels: digits.labels.subarray(0, count),
  };
  nn.manualSeed(options.seed);
  const network = new DigitNet();
  let last = 0;
  const events: TrainingEvents = {
    step(_, duration) {
      last = duration;
    },
    async epoch() {},
  };
  try {
    await train(network, some, { ...options, epochs: 1 }, events, signal);
  } finally {
    network.dispose();
  }
  return last;
}
