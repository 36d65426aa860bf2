import type { Optimizer } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isObject } from '../core/guards.ts';

/** The field of the optimizers of tfjs, which their types hide. */
interface WithRate {
  learningRate: number;
  setLearningRate?(rate: number): void;
  /** The negative learning rate as a tensor, in SGD and momentum. */
  c?: tf.Tensor;
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

/**
 * Prepares a learning rate for an optimizer of tfjs. SGD and momentum dispose their tensor before they make the new
 * one.
 *
 * @returns the change, which cannot fail; it runs in the same tidy
 */
export function planLearningRate(optimizer: Optimizer, rate: number): () => void {
  const target = optimizer as unknown as WithRate;
  const { c: before } = target;
  const after = before === undefined ? undefined : tf.scalar(-rate);
  return () => {
    target.learningRate = rate;
    if (after === undefined) return;
    before!.dispose();
    target.c = tf.keep(after);
  };
}
