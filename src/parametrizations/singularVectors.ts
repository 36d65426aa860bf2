import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { spectralNormOp } from '../kernels/index.ts';
import { asMatrix, multiply, type SingularVectors } from '../linalg/powerIteration.ts';
import { nextSeed } from '../nn/init/random.ts';

/** Random unit vectors for the matrix whose rows are the slices of a tensor along an axis; follows `nn.manualSeed`. */
export function randomVectors({ shape, size }: Tensor, dim: number): SingularVectors {
  const rows = shape[dim]!;
  const [left, right] = [rows, size / rows].map((count) => {
    const vector = tf.randomNormal([count], 0, 1, 'float32', nextSeed());
    return tf.div(vector, tf.norm(vector));
  });
  return { left: left!, right: right! };
}

/** A tensor divided by `σ = uᵀMv`, M the matrix whose rows are its slices along an axis. */
export const quotientBySigma: (W: Tensor, dim: number, vectors: SingularVectors) => Tensor = spectralNormOp;

/**
 * The right vector that makes `uᵀMv` a given σ, along `Mᵀu`: what the oldest state dicts of torch leave out.
 */
export function rightVectorFor(W: Tensor, dim: number, left: Tensor, sigma: Tensor): Tensor {
  const product = multiply(asMatrix(W, dim), left, true);
  return tf.mul(product, tf.div(sigma, tf.sum(tf.square(product))));
}
