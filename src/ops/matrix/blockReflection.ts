import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { hostValues, type SyncReader } from '../../engine/hostValues.ts';
import { norm } from '../norm/norm.ts';
import { matMulTN, plainMatMul } from './matMul.ts';
import { transpose } from './transpose.ts';
import { triangularInverse } from './triangularInverse.ts';

/** A product of reflections in the form `H₁H₂⋯H_k = I − VTVᵀ`. */
export interface BlockReflection {
  /** The vectors with length 1, [b, n, k]. */
  readonly V: Tensor;
  /** [b, k, k] */
  readonly T: Tensor;
}

/** Returns the product of the reflections `I − 2vvᵀ/‖v‖²` of the columns v of a tensor, [b, n, k]. */
export function blockReflection(vectors: Tensor, read?: SyncReader): BlockReflection {
  const V = tf.div(vectors, norm(vectors, [1]));
  return { V, T: reflectionFactor(V, read) };
}

/**
 * Returns the T of `H₁H₂⋯H_k = I − VTVᵀ` for vectors of length 1: the inverse of the upper triangle of VᵀV with half
 * its diagonal. No entry of T is above 4, so rounding loses nothing.
 *
 * @remarks
 * **Shape**: V: [b, n, k]; T: [b, k, k].
 * **Gradient**: of any order.
 *
 * @see Joffrain et al. 2006, doi:10.1145/1141885.1141886
 */
export function reflectionFactor(V: Tensor, read?: SyncReader): Tensor {
  const halfOfDiagonal = tf.sub(1, tf.mul(tf.eye(V.shape[2]!), 0.5));
  return triangularInverse(tf.mul(matMulTN(V, V), halfOfDiagonal), read);
}

/** The number of reflections that are applied at once. */
const BLOCK = 32;

/**
 * Computes the first columns of a product of many reflections at a lower cost than `householderProduct`. It applies the
 * reflections in blocks, each only to the rows and columns that it changes. This takes a third of the multiplications
 * and at most four times the memory of the result.
 *
 * @remarks
 * **Shape**: vectors: [b, n, k], as `qr` returns them; result [b, n, columns], `k ≤ columns ≤ n`.
 * **Gradient**: none.
 * **Ownership**: returns a new tensor, as any op.
 */
export function reflectionProduct(vectors: Tensor, columns: number, read: SyncReader = hostValues): Tensor {
  const [b, n, k] = vectors.shape as [number, number, number];
  let product: Tensor | null = null;
  for (let start = BLOCK * Math.floor((k - 1) / BLOCK); start >= 0; start -= BLOCK) {
    const inner: Tensor | null = product;
    const width = Math.min(BLOCK, k - start);
    product = tf.tidy(() => {
      const below = tf.slice(vectors, [0, start, start], [b, n - start, width]);
      const block = blockReflection(tf.add(below, tf.eye(n - start, width)), read);
      return reflectBordered(block, inner, columns - start);
    });
    inner?.dispose();
  }
  return product!;
}

/** Returns `H₁H₂⋯H_w·[[I, 0], [0, inner]]`, [b, n, columns], for w reflections. An `inner` of null is the identity. */
function reflectBordered({ V, T }: BlockReflection, inner: Tensor | null, columns: number): Tensor {
  const [b, n, w] = V.shape as [number, number, number];
  const top = tf.slice(V, [0, 0, 0], [b, inner === null ? columns : w, w]);
  const left = plainMatMul(V, plainMatMul(T, transpose(top)));
  if (inner === null) return tf.sub(tf.eye(n, columns), left);
  const right = tf.tidy(() => {
    const bottom = tf.slice(V, [0, w, 0], [b, n - w, w]);
    const change = plainMatMul(V, plainMatMul(T, plainMatMul(bottom, inner, true)));
    return tf.sub(tf.concat([tf.zeros([b, w, columns - w]), inner], 1), change);
  });
  return tf.concat([tf.sub(tf.eye(n, w), left), right], 2);
}
