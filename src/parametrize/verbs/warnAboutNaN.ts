import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues } from '../../engine/hostValues.ts';
import type { ChainStep } from '../chain/chainStep.ts';
import { stepName } from '../chain/rightInverse.ts';

/**
 * Warns in development if a map turns numbers into NaN. The usual cause is a right inverse with a value outside of its
 * domain, such as the logarithm of a negative element.
 *
 * It checks only on backends with numbers in the memory of the process (cpu, wasm), and not in tfjs's production mode.
 *
 * @param label - the name of the tensor in messages
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
  const numbers = hostValues(tensor) ?? [];
  // A loop, because a registration pays for it: a call for each number takes a hundred times as long.
  for (let i = 0; i < numbers.length; i++) if (Number.isNaN(numbers[i])) return true;
  return false;
}
