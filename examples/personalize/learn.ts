import type { nn } from 'tfjs-parametrize';
import type { Digits } from '../mnist/digits.ts';
import { type TrainingEvents, train } from '../mnist/train.ts';

/**
 * The parts of the learning rate in a lesson. It begins with one pass of small steps: the first gradients are large,
 * because new digits surprise the network, and large steps would leave units that never are active again.
 */
const factors = [1 / 10, 1, 1 / 4, 1 / 16];

/** How long and how fast to train. */
export interface Lesson {
  /** Passes over the digits with each learning rate but the first. */
  readonly passes: number;
  /** The largest learning rate of Adam. */
  readonly rate: number;
}

const batchSize = 32;

const passesIn = (part: number, passes: number): number => (part === 0 ? 1 : passes);

/** The number of steps of a lesson. */
export const stepsOf = (digits: Digits, { passes }: Lesson): number =>
  (1 + (factors.length - 1) * passes) * Math.ceil(digits.labels.length / batchSize);

/** Trains what can be trained of a network. The same seed has the same batches. */
export async function learn(
  network: nn.Module,
  digits: Digits,
  seed: number,
  { passes, rate }: Lesson,
  step: TrainingEvents['step'],
  signal: AbortSignal,
): Promise<void> {
  for (const [part, factor] of factors.entries()) {
    await train(
      network,
      digits,
      factors.length * seed + part,
      { epochs: passesIn(part, passes), batchSize, learningRate: rate * factor },
      { step, async epoch() {} },
      signal,
    );
  }
}
