import type { Optimizer, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { makeVariable } from './variable.ts';

/** Makes the slot of a variable before its first step: zero, except for adagrad. */
export function initialSlot(optimizer: Optimizer, { shape }: Variable): Variable {
  const { initialAccumulatorValue = 0 } = optimizer as unknown as { initialAccumulatorValue?: number };
  return tf.tidy(() => makeVariable(tf.fill(shape, initialAccumulatorValue), false));
}
