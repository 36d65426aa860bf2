import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Applies a step to some tensors again and again, and holds only those of the last step: an iteration without a
 * gradient needs no memory that grows with the number of steps.
 *
 * @remarks
 * **Ownership**: `start` stays the caller's. The result is new, except for tensors that the steps return as they are.
 *
 * @param count - the largest number of steps
 * @param step - is run in a tidy
 * @param isDone - is asked before each step
 */
export function repeat<S extends readonly Tensor[]>(
  count: number,
  start: S,
  step: (...state: S) => S,
  isDone: () => boolean = () => false,
): S {
  let state = start;
  for (let i = 0; i < count && !isDone(); i++) {
    const last = state;
    state = tf.tidy(() => step(...last) as unknown as Tensor[]) as unknown as S;
    for (const tensor of last) if (!start.includes(tensor) && !state.includes(tensor)) tensor.dispose();
  }
  return state;
}
