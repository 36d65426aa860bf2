import type { Optimizer } from '@tensorflow/tfjs-core';

/** The field of the optimizers of tfjs, which their types hide. */
interface WithRate {
  learningRate: number;
  setLearningRate?(rate: number): void;
}

/** The learning rate of an optimizer of tfjs. */
export const learningRateOf = (optimizer: Optimizer): number =>
  (optimizer as unknown as WithRate).learningRate;

/** Changes the learning rate of an optimizer. SGD and momentum keep a tensor of it besides. */
export function setLearningRate(optimizer: Optimizer, rate: number): void {
  const target = optimizer as unknown as WithRate;
  if (target.setLearningRate === undefined) target.learningRate = rate;
  else target.setLearningRate(rate);
}
