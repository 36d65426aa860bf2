import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues } from '../../engine/hostValues.ts';
import type { ChainStep } from '../chain/chainStep.ts';
import { stepName } from '../chain/rightInverse.ts';

/**
 * Warns in development if a map makes NaN of numbers: most often a right inverse that was given a value outside its
 * domain, such as the logarithm of a weight with negative elements.
 *
 * Looks only where numbers are in the memory of the process (cpu, wasm), and not in tfjs's production mode.
 *
 * @param label - how messages name the tensor
 * @param current - the value of the tensor before the map
 * @param result - the value of the map
 */
export function warnAboutNaN(
  caller: string,
  label: string,
  step: ChainStep,
  current: Tensor,
  result: Tensor,
): void {
  if (tf.env().getBool('PROD') || !hasNaN(result) || hasNaN(current)) return;
  console.warn(
    `tfjs-parametrize: ${caller}: ${stepName(step)} makes NaN of ${label}. Its rightInverse or its forward does not accept every value of the tensor: check it with await checkParametrization(map, tensor).`,
  );
}

function hasNaN(tensor: Tensor): boolean {
  if (tensor.dtype !== 'float32') return false;
  const numbers = hostValues(tensor);
  return numbers !== null && Array.prototype.some.call(numbers, Number.isNaN);
}
