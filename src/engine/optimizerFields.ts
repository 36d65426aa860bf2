import type { Optimizer } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isObject } from '../core/guards.ts';

/** The field of the optimizers of tfjs, which their types hide. */
interface WithRate {
  learningRate: number;
  setLearningRate?(rate: number): void;
}

/** True for an optimizer. The test of tfjs fails for null. */
export const isOptimizer = (value: unknown): value is Optimizer =>
  isObject(value) && value instanceof tf.Optimizer;

/** Returns the learning rate of an optimizer of tfjs. */
export const learningRateOf = (optimizer: Optimizer): number =>
  (optimizer as unknown as WithRate).learningRate;

/** Changes the learning rate of an optimizer. SGD and momentum also keep it as a tensor. */
export function setLearningRate(optimizer: Optimizer, rate: number): void {
  const target = optimizer as unknown as WithRate;
  if (target.setLearningRate === undefined) target.learningRate = rate;
  else target.setLearningRate(rate);
}
