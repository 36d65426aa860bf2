import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { multiply, type SingularVectors } from '../../linalg/powerIteration.ts';

/**
 * A tensor divided by the estimate of its largest singular value: `W/σ`, `σ = uᵀMv` with M the matrix of W.
 *
 * **Shape**: `W`, result: S; `matrix`: [m, n]; `left`: [m]; `right`: [n].
 * **Gradient**: to W, through σ as well: `∂L/∂W = (∂L/∂Y − ⟨∂L/∂Y, Y⟩·u vᵀ)/σ`; the vectors are constants. Of any order.
 *
 * Where σ is zero it counts as 1, so that a tensor of zeros stays what it is and gets the gradient of the identity: it
 * can be trained.
 *
 * @param matrix - W as a matrix, see `asMatrix`
 */
export function spectralNormOp(W: Tensor, matrix: Tensor, vectors: SingularVectors): Tensor {
  const sigma = tf.sum(tf.mul(vectors.left, multiply(matrix, vectors.right, false)));
  return tf.div(W, tf.add(sigma, isZero(sigma)));
}

/** 1 if the number is zero, else 0; a constant for gradients. */
const isZero = (x: Tensor): Tensor => tf.sub(1, tf.step(tf.abs(x)));
