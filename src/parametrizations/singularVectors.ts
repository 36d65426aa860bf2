import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { spectralNormOp } from '../kernels/spectralNorm/op.ts';
import { asMatrix, multiply, type SingularVectors } from '../linalg/powerIteration.ts';
import { scaleToOne } from '../linalg/scaleToOne.ts';
import { nextSeed } from '../nn/random.ts';

/** Random unit vectors of the sizes of a matrix; follows `nn.manualSeed`. */
export function randomVectors({ shape }: Tensor): SingularVectors {
  const [left, right] = shape.map((size) => {
    const vector = tf.randomNormal([size], 0, 1, 'float32', nextSeed());
    return tf.div(vector, tf.norm(vector));
  });
  return { left: left!, right: right! };
}

/** A tensor divided by `σ = uᵀMv`, M the matrix whose rows are its slices along an axis. */
export function quotientBySigma(W: Tensor, dim: number, vectors: SingularVectors): Tensor {
  return spectralNormOp(scaleToOne(W), dim, vectors);
}

/**
 * The right vector that makes `uᵀMv` a given σ, along `Mᵀu`: what the oldest state dicts of torch leave out.
 */
export function rightVectorFor(W: Tensor, dim: number, left: Tensor, sigma: Tensor): Tensor {
  const product = multiply(asMatrix(W, dim), left, true);
  return tf.mul(product, tf.div(sigma, tf.sum(tf.square(product))));
}
