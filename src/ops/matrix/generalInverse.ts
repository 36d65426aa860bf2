import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { invertNumbers } from '../float64/invertNumbers.ts';
import { newtonInverse } from './newtonInverse.ts';

/**
 * Inverts matrices of any kind. `inverse` is faster, and has a gradient, for matrices whose symmetric part is at least
 * the identity.
 *
 * Matrices are inverted by elimination in float64 if their numbers can be read, otherwise by Newton's iteration.
 *
 * @remarks
 * **Shape**: M, M⁻¹: [b, n, n].
 * **Domain**: a condition number up to 1e5; numbers that can be read: any. The inverse of a singular matrix has NaN, or
 * finite numbers without a meaning.
 * **Gradient**: none.
 */
export function generalInverse(M: Tensor, read: SyncReader = hostValues): Tensor {
  const numbers = read(M);
  if (numbers === null) return newtonInverse(M);
  const [b, n] = M.shape as [number, number, number];
  const all = new Float32Array(b * n * n);
  for (let start = 0; start < all.length; start += n * n) {
    const matrix = Float64Array.from({ length: n * n }, (_, i) => numbers[start + i]!);
    all.set(invertNumbers(matrix, n) ?? matrix.fill(Number.NaN), start);
  }
  return tf.tensor(all, M.shape);
}
