import type { Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../engine/hostValues.ts';

/**
 * Returns the share of the elements of a float32 tensor that are zero, from 0 to 1; 0 for a tensor without elements.
 * Returns null if reading them would wait for a device.
 */
export function shareOfZeros(x: Tensor): number | null {
  const values = hostValues(x);
  if (values === null) return null;
  let zeros = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === 0) zeros++;
  return values.length === 0 ? 0 : zeros / values.length;
}
