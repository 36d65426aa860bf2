import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { SyncReader } from '../../engine/hostValues.ts';
import { blockReflection } from './blockReflection.ts';
import { matMul, matMulNT } from './matMul.ts';
import { tril } from './triangular.ts';

/**
 * Computes the first columns of a product of reflections, `Q = H₁H₂⋯H_k` with `Hⱼ = I − 2vⱼvⱼᵀ/‖vⱼ‖²`. vⱼ has a 1 at j,
 * zeros above it and column j of A below it.
 *
 * All reflections are applied at once, as `Q = I − VTVᵀ`; see `reflectionFactor` for T.
 *
 * @remarks
 * **Shape**: A, Q: [b, n, k], n ≥ k. The elements of A on and above the diagonal are not used.
 * **Gradient**: of any order; zero on and above the diagonal.
 *
 * @see torch.linalg.householder_product. Joffrain et al. 2006, doi:10.1145/1141885.1141886
 */
export function householderProduct(A: Tensor, read?: SyncReader): Tensor {
  const [b, n, k] = A.shape as [number, number, number];
  const identity = tf.eye(n, k);
  const { V, T } = blockReflection(tf.add(tril(A, -1), identity), read);
  const top = tf.slice(V, [0, 0, 0], [b, k, k]);
  const product = matMul(V, matMulNT(T, top));
  return tf.sub(identity, product);
}
