import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { asMatrix, matVec, type SingularVectors } from '../../ops/matrix/powerIteration.ts';
import { stopGradient } from '../../ops/stopGradient.ts';

/**
 * Divides a tensor by the estimate of its largest singular value: `Y = W/σ`, `σ = uᵀMv`, where M is the matrix of W.
 * This specifies the fused computation, and runs where no fused kernel exists.
 *
 * The caller scales W, so that σ² is in the range of float32.
 *
 * **Shape**: `W`, Y: S; `left` u: [S[dim]]; `right` v: [the product of the other axes].
 * **Gradient**: to W, also through σ, of any order: `∂L/∂W = (∂L/∂Y − ⟨∂L/∂Y, Y⟩·K)/σ` with `K = uvᵀ` in the shape of
 * W. The vectors are constants.
 *
 * If σ is zero, the constant 1 replaces it, and K counts as zero in the gradients of every order. So a tensor of zeros
 * stays zero, gets the gradients of the identity, and can be trained.
 *
 * @param dim - the axis whose slices are the rows of M
 */
export function spectralNormReference(W: Tensor, dim: number, { left, right }: SingularVectors): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const [W, save] = inputs as [Tensor, tf.GradSaveFunc];
    const { sigma, varies } = singularValue(W, dim, { left, right });
    const result = tf.div(W, sigma);
    save([W, sigma, varies, left, right]);
    return {
      value: result,
      gradFunc: (dY, saved) => {
        const [W, sigma, varies, left, right] = saved as Tensor[] as [Tensor, Tensor, Tensor, Tensor, Tensor];
        return pullBack(dY as Tensor, W, { sigma, varies }, dim, { left, right });
      },
    };
  });
  return operation(W);
}

/** σ, and a flag: 1 if σ depends on W, or 0 if σ is the constant 1 that replaces 0. */
interface SingularValue {
  readonly sigma: Tensor;
  readonly varies: Tensor;
}

/** Returns `uᵀMv`, or the constant 1 instead of 0. */
function singularValue(W: Tensor, dim: number, { left, right }: SingularVectors): SingularValue {
  const product = tf.sum(tf.mul(left, matVec(asMatrix(W, dim), right, false)));
  const varies = stopGradient(() => tf.step(tf.abs(product)));
  const sigma = tf.add(
    tf.mul(product, varies),
    stopGradient(() => tf.sub(1, varies)),
  );
  return { sigma, varies };
}

/** `(∂L/∂Y − ⟨∂L/∂Y, W⟩/σ·K)/σ` as a function of ∂L/∂Y and W. σ is computed again, so that W has a gradient. */
function pullBack(
  dY: Tensor,
  W: Tensor,
  { sigma, varies }: SingularValue,
  dim: number,
  vectors: SingularVectors,
): Tensor {
  const operation = tf.customGrad((...inputs) => {
    const [dY, W, save] = inputs as [Tensor, Tensor, tf.GradSaveFunc];
    const along = tf.mul(tf.div(dot(dY, W), tf.square(sigma)), varies);
    const result = tf.sub(tf.div(dY, sigma), multipleOfK(along, W, dim, vectors));
    save([dY, W]);
    return {
      value: result,
      gradFunc: (r, saved) => {
        const [dY, W] = saved as Tensor[] as [Tensor, Tensor];
        return pullBackTwice(r as Tensor, dY, W, dim, vectors);
      },
    };
  });
  return operation(dY, W);
}

/**
 * The gradient of {@link pullBack}: `(r − ⟨r, K⟩·Y)/σ` to ∂L/∂Y,
 * `((2⟨∂L/∂Y, Y⟩⟨r, K⟩ − ⟨r, ∂L/∂Y⟩)·K − ⟨r, K⟩·∂L/∂Y)/σ²` to W. It consists of operations that can be differentiated
 * again.
 */
export function pullBackTwice(
  r: Tensor,
  dY: Tensor,
  W: Tensor,
  dim: number,
  vectors: SingularVectors,
): Tensor[] {
  const Y = spectralNormReference(W, dim, vectors);
  const { sigma, varies } = singularValue(W, dim, vectors);
  const K = multipleOfK(varies, W, dim, vectors);
  const [rK, dYY] = [dot(r, K), dot(dY, Y)];
  const factor = tf.sub(tf.mul(2, tf.mul(dYY, rK)), dot(r, dY));
  return [
    tf.div(tf.sub(r, tf.mul(rK, Y)), sigma),
    tf.div(tf.sub(tf.mul(factor, K), tf.mul(rK, dY)), tf.square(sigma)),
  ];
}

const dot = (x: Tensor, y: Tensor): Tensor => tf.sum(tf.mul(x, y));

/** `c·K`, in the shape of W. */
function multipleOfK(c: Tensor, { shape }: Tensor, dim: number, { left, right }: SingularVectors): Tensor {
  const ofRows = shape.map((size, axis) => (axis === dim ? size : 1));
  const ofOthers = shape.map((size, axis) => (axis === dim ? 1 : size));
  return tf.mul(tf.reshape(tf.mul(c, left), ofRows), tf.reshape(right, ofOthers));
}
