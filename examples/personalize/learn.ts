import type { nn } from 'tfjs-parametrize';
import type { Digits } from '../mnist/digits.ts';
import { type TrainingEvents, train } from '../mnist/train.ts';

/** The learning rate sinks twice by this factor: adapters learn with large steps, and end with small ones. */
const decay = 4;

/** How long and how fast to train. */
export interface Lesson {
  /** Passes over the digits with each of three learning rates. */
  readonly passes: number;
  /** The first learning rate of Adam. */
  readonly rate: number;
}

/** The parts of the lesson. */
const batchSize = 32;
const parts = [0, 1, 2];

/** The number of steps of a lesson. */
export const stepsOf = (digits: Digits, { passes }: Lesson): number =>
  parts.length * passes * Math.ceil(digits.labels.length / batchSize);

/** Trains what can be trained of a network. The same seed has the same batches. */
export async function learn(
  network: nn.Module,
  digits: Digits,
  seed: number,
  { passes, rate }: Lesson,
  step: TrainingEvents['step'],
  signal: AbortSignal,
): Promise<void> {
  for (const part of parts) {
    await train(
      network,
      digits,
      parts.length * seed + part,
      { epochs: passes, batchSize, learningRate: rate / decay ** part },
      { step, async epoch() {} },
      signal,
    );
  }
}
