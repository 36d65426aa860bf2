import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isOwnedBy, type Scope } from '../../engine/scope.ts';
import type { ChainStep } from './chainStep.ts';
import { notATensor } from './readErrors.ts';
import { isTensor } from './rightInverse.ts';

/**
 * Runs steps of a chain. The first step gets the originals, and each later step the previous value.
 *
 * @param scope - the open tidy, which owns the result. A variable, a kept tensor or a tensor from outside is cloned
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
    // The value is cloned between steps, too, because the next step may dispose its argument.
    args = [isOwnedBy(value, scope) ? value : tf.clone(value)];
  }
  // Without steps, the value would be the original itself, which the cache would end with the value.
  return steps.length === 0 ? tf.clone(args[0]!) : args[0]!;
}
