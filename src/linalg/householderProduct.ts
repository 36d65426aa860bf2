import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { norm } from './norm.ts';
import type { NumbersAtHand } from './numbersAtHand.ts';
import { times, timesTransposed, transposedTimes } from './product.ts';
import { tril } from './triangular.ts';
import { triangularInverse } from './triangularInverse.ts';

/**
 * The first columns of a product of reflections: `Q = H₁H₂⋯H_k`, `Hⱼ = I − 2vⱼvⱼᵀ/‖vⱼ‖²`, where vⱼ has a 1 at j, zeros
 * above it and column j of A below it.
 *
 * All at once, as `Q = I − VTVᵀ`: with the columns of V of length 1, T is the inverse of the upper triangle of VᵀV with
 * its diagonal halved. No entry of that T is above 4, so that nothing is lost to rounding.
 *
 * @remarks
 * **Shape**: A, Q: [b, n, k], n ≥ k. What is on and above the diagonal of A is not used.
 * **Gradient**: of any order; zero on and above the diagonal.
 *
 * @see torch.linalg.householder_product. Joffrain et al. 2006, doi:10.1145/1141885.1141886
 */
export function householderProduct(A: Tensor, numbersAtHand?: NumbersAtHand): Tensor {
  const [b, n, k] = A.shape as [number, number, number];
  const identity = tf.eye(n, k);
  const vectors = tf.add(tril(A, -1), identity);
  const V = tf.div(vectors, norm(vectors, [1]));
  const top = tf.slice(V, [0, 0, 0], [b, k, k]);
  const product = times(V, timesTransposed(reflectionFactor(V, numbersAtHand), top));
  return tf.sub(identity, product);
}

/**
 * The T of `H₁H₂⋯H_k = I − VTVᵀ`, for vectors of length 1.
 *
 * **Shape**: V: [b, n, k]; T: [b, k, k]
 */
export function reflectionFactor(V: Tensor, numbersAtHand?: NumbersAtHand): Tensor {
  const halfOfDiagonal = tf.sub(1, tf.mul(tf.eye(V.shape[2]!), 0.5));
  return triangularInverse(tf.mul(transposedTimes(V, V), halfOfDiagonal), numbersAtHand);
}
