import type { Tensor } from '@tensorflow/tfjs-core';
import { hostValues } from '../../engine/hostValues.ts';

/**
 * Returns a function that measures how far a step moves a value: `‖W − before‖ / ‖before‖`, with the Frobenius norm. It
 * returns null if reading the numbers would wait for a device, see `hostValues`.
 *
 * @param before - the value before the step
 */
export function movedFrom(before: Tensor): (after: Tensor) => number | null {
  if (before.dtype !== 'float32') return () => null;
  const old = hostValues(before);
  return (after) => {
    if (old === null || after.dtype !== 'float32' || after.size !== old.length) return null;
    const now = hostValues(after);
    return now === null ? null : distance(old, now);
  };
}

function distance(before: ArrayLike<number>, after: ArrayLike<number>): number {
  let [difference, whole] = [0, 0];
  for (let i = 0; i < before.length; i++) {
    difference += (after[i]! - before[i]!) ** 2;
    whole += before[i]! ** 2;
  }
  if (difference === 0) return 0;
  return Math.sqrt(whole === 0 ? difference : difference / whole);
}
