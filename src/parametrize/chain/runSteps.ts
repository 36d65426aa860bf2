import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isOwnedBy, type Scope } from '../../engine/scope.ts';
import type { ChainStep } from './chainStep.ts';
import { notATensor } from './readErrors.ts';
import { isTensor } from './rightInverse.ts';

/**
 * Runs steps of a chain: the first gets the originals, each later one the value before it.
 *
 * @param scope - the open tidy, which owns the result: never a variable, a kept tensor, or one from outside
 */
export function runSteps(
  caller: string,
  steps: readonly ChainStep[],
  originals: readonly Tensor[],
  scope: Scope,
): Tensor {
  let args = originals;
  for (const step of steps) {
    const value: unknown = step.forward(...args);
    if (!isTensor(value)) throw notATensor(caller, step, value);
    // Also between steps: the next one may dispose its argument.
    args = [isOwnedBy(value, scope) ? value : tf.clone(value)];
  }
  return args[0]!;
}
