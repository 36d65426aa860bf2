import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { differentiableInverse } from './inverseGradient.ts';
import { triu } from './triangular.ts';

/** Blocks of at most this size are inverted in closed form. */
const SMALL = 4;

/**
 * The inverses of upper triangular matrices; what is below the diagonal counts as zero.
 *
 * By halves, `[[A, B], [0, C]]⁻¹ = [[A⁻¹, −A⁻¹BC⁻¹], [0, C⁻¹]]`, all blocks of a level at once: about a dozen operations
 * for each doubling of n.
 *
 * @remarks
 * **Shape**: M, M⁻¹: [b, n, n].
 * **Gradient**: to the upper triangle; of any order.
 */
export const triangularInverse = (M: Tensor): Tensor => inverseOfTriangle(triu(M));

const inverseOfTriangle = differentiableInverse((M) => {
  const [b, n] = M.shape as [number, number, number];
  const halvings = Math.max(0, Math.ceil(Math.log2(n / SMALL)));
  const missing = Math.ceil(n / 2 ** halvings) * 2 ** halvings - n;
  if (missing === 0) return invertByHalves(M, halvings);
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
  return tf.slice(invertByHalves(padded, halvings), [0, 0, 0], [b, n, n]);
});

function invertByHalves(M: Tensor, halvings: number): Tensor {
  if (halvings === 0) return invertSmall(M);
  const [b, n] = M.shape as [number, number, number];
  const h = n / 2;
  const block = (row: number, column: number): Tensor => tf.slice(M, [0, row, column], [b, h, h]);
  const diagonal = invertByHalves(tf.concat([block(0, 0), block(h, h)], 0), halvings - 1);
  const [A, C] = [tf.slice(diagonal, [0, 0, 0], [b, h, h]), tf.slice(diagonal, [b, 0, 0], [b, h, h])];
  const B = tf.neg(tf.matMul(tf.matMul(A, block(0, h)), C));
  return tf.concat([tf.concat([A, B], 2), tf.concat([tf.zerosLike(C), C], 2)], 1);
}

/** `(D(I + N))⁻¹ = (I − N)(I + N²)D⁻¹`, because N⁴ = 0. */
function invertSmall(M: Tensor): Tensor {
  const [b, n] = M.shape as [number, number, number];
  const identity = tf.eye(n);
  const diagonal = tf.sum(tf.mul(M, identity), -1, true);
  const N = tf.mul(tf.div(M, diagonal), tf.sub(1, identity));
  const product = tf.matMul(tf.sub(identity, N), tf.add(identity, tf.matMul(N, N)));
  return tf.div(product, tf.reshape(diagonal, [b, 1, n]));
}
