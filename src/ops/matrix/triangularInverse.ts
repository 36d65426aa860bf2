import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { differentiableInverse } from './inverseGradient.ts';
import { plainMatMul } from './matMul.ts';
import { triu } from './triangular.ts';

/** The largest size of a block that is inverted in closed form. */
const SMALL = 4;

/** The largest size of a block that is inverted as a whole if its numbers can be read. */
const SMALL_KNOWN = 64;

/**
 * Inverts upper triangular matrices. Elements below the diagonal count as zero.
 *
 * Works by halves, `[[A, B], [0, C]]⁻¹ = [[A⁻¹, −A⁻¹BC⁻¹], [0, C⁻¹]]`, with all blocks of a level at once. This takes
 * about a dozen operations for each doubling of n.
 *
 * @remarks
 * **Shape**: M, M⁻¹: [b, n, n].
 * **Gradient**: to the upper triangle; of any order.
 */
export const triangularInverse = (M: Tensor, read: SyncReader = hostValues): Tensor =>
  differentiableInverse((M) => invert(M, read))(triu(M));

function invert(M: Tensor, read: SyncReader): Tensor {
  const [b, n] = M.shape as [number, number, number];
  const halvings = Math.max(0, Math.ceil(Math.log2(n / SMALL)));
  const missing = Math.ceil(n / 2 ** halvings) * 2 ** halvings - n;
  if (missing === 0) return invertByHalves(M, read);
  const corner: [number, number][] = [
    [n, 0],
    [n, 0],
  ];
  const ones = tf.pad(tf.eye(missing), corner);
  const padding: [number, number][] = [
    [0, 0],
    [0, missing],
    [0, missing],
  ];
  const padded = tf.add(tf.pad(M, padding), ones);
  return tf.slice(invertByHalves(padded, read), [0, 0, 0], [b, n, n]);
}

function invertByHalves(M: Tensor, read: SyncReader): Tensor {
  const [b, n] = M.shape as [number, number, number];
  const numbers = n <= SMALL_KNOWN ? read(M) : null;
  if (numbers !== null) return tf.tensor(substitute(numbers, b, n), M.shape);
  if (n <= SMALL) return invertSmall(M);
  const h = n / 2;
  const block = (row: number, column: number): Tensor => tf.slice(M, [0, row, column], [b, h, h]);
  const blocks = tf.concat([block(0, 0), block(h, h)], 0);
  const diagonal = invertByHalves(blocks, read);
  const [A, C] = [tf.slice(diagonal, [0, 0, 0], [b, h, h]), tf.slice(diagonal, [b, 0, 0], [b, h, h])];
  const B = tf.neg(plainMatMul(plainMatMul(A, block(0, h)), C));
  return tf.concat([tf.concat([A, B], 2), tf.concat([tf.zerosLike(C), C], 2)], 1);
}

/** Inverts by back substitution, in float64: row i of X is `(eᵢ − Σ_{k>i} Mᵢₖ·row k)/Mᵢᵢ`. */
function substitute(numbers: ArrayLike<number>, b: number, n: number): Float32Array {
  const all = new Float64Array(b * n * n);
  for (let start = 0; start < all.length; start += n * n) {
    for (let i = n - 1; i >= 0; i--) {
      const row = all.subarray(start + i * n, start + (i + 1) * n);
      row[i] = 1;
      for (let k = i + 1; k < n; k++) {
        const factor = numbers[start + i * n + k]!;
        const other = start + k * n;
        for (let j = k; j < n; j++) row[j]! -= factor * all[other + j]!;
      }
      const pivot = numbers[start + i * n + i]!;
      for (let j = i; j < n; j++) row[j]! /= pivot;
    }
  }
  return Float32Array.from(all);
}

/** Inverts in closed form: `(D(I + N))⁻¹ = (I − N)(I + N²)D⁻¹`, because N⁴ = 0. */
function invertSmall(M: Tensor): Tensor {
  const [b, n] = M.shape as [number, number, number];
  const identity = tf.eye(n);
  const diagonal = tf.sum(tf.mul(M, identity), -1, true);
  const N = tf.mul(tf.div(M, diagonal), tf.sub(1, identity));
  const product = tf.matMul(tf.sub(identity, N), tf.add(identity, tf.matMul(N, N)));
  return tf.div(product, tf.reshape(diagonal, [b, 1, n]));
}
