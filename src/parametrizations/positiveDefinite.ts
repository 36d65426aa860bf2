import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { cholesky } from '../ops/matrix/cholesky.ts';
import { matMulNT, plainMatMul } from '../ops/matrix/matMul.ts';
import { psd } from '../ops/matrix/psd.ts';
import { symmetricPart } from '../ops/matrix/symmetricPart.ts';
import { isZero, norm } from '../ops/norm/norm.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { positiveTriangle, positiveTriangleInverse } from './matrix/positiveTriangle.ts';
import { batchOf, checkSquare } from './matrix/squareMatrix.ts';
import { notNegative } from './options.ts';
import { isPositiveDefinite } from './set/isPositiveDefinite.ts';
import { isSymmetric } from './set/isSymmetric.ts';
import { isSquareBatch, largest, matricesOf } from './set/slices.ts';

/** Options of {@link positiveDefinite}. */
export interface PositiveDefiniteOptions {
  /** The bound that every eigenvalue stays above. Default 0. */
  readonly min?: number;
}

/** The smallest eigenvalue of a value that was moved into the set, as a part of its norm. */
const FLOOR = 1e-6;

/** The rounding of a positive definite matrix in float32, as a part of its largest element. */
const ROUNDING = 1e-6;

/**
 * Makes symmetric matrices with positive eigenvalues from their Cholesky factors: `W = LLᵀ + min·I` with
 * `L = tril(X, −1) + diag(softplus(diag X))`.
 *
 * @remarks
 * **Shape**: X, W: [..., n, n].
 * **State**: `original` = X; its upper triangle is not used. No buffers.
 * **Gradient**: of any order; zero to the upper triangle. There is one X for each W, and no point without a gradient.
 *
 * The right inverse moves other values to the nearest matrix whose eigenvalues are at least `1e-6 · ‖sym(W) − min·I‖`
 * above `min`. It is also the limit of the condition number that a value keeps. Half of the eigenvalues of a random
 * weight lie at this limit, so begin with `positiveDefinite.sample`, or assign the identity.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square
 * @see torch.distributions.transforms.PositiveDefiniteTransform
 */
export class PositiveDefinite extends Parametrization {
  /** The bound that every eigenvalue stays above. */
  readonly min: number;

  constructor(options: PositiveDefiniteOptions = {}) {
    super();
    this.min = this.checkedOptions(options).min;
  }

  override forward(X: Tensor): Tensor {
    checkSquare('positiveDefinite', X);
    const L = positiveTriangle(batchOf(X));
    const W = matMulNT(L, L);
    const above = this.min === 0 ? W : tf.add(W, tf.mul(this.min, tf.eye(X.shape.at(-1)!)));
    return tf.reshape(above, X.shape);
  }

  /** Returns the X of the nearest matrix in the set. */
  override rightInverse(W: Tensor): Tensor {
    checkSquare('positiveDefinite', W);
    return tf.tidy(() => {
      const S = tf.tidy(() => tf.sub(symmetricPart(batchOf(W)), tf.mul(this.min, tf.eye(W.shape.at(-1)!))));
      const L = tf.tidy(() => cholesky(psd(S, floorOf(S))));
      return tf.reshape(positiveTriangleInverse(L), W.shape);
    });
  }

  override isPure(): boolean {
    return true;
  }
}

/** Returns the smallest eigenvalues that matrices may keep, [b, 1, 1]. Those of zeros are {@link FLOOR}. */
const floorOf = (S: Tensor): Tensor =>
  tf.tidy(() => {
    const norms = norm(S, [1, 2]);
    return tf.mul(FLOOR, tf.add(norms, isZero(norms)));
  });

/**
 * Makes the matrices of a weight symmetric and positive definite; see {@link PositiveDefinite}. A positive definite
 * weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * positiveDefinite(metric, 'weight', { min: 1e-3 });
 * ```
 * @function
 */
export const positiveDefinite = defineParametrization<PositiveDefinite, PositiveDefiniteOptions>({
  name: 'positiveDefinite',
  class: PositiveDefinite,
  hasFixedFields: true,
  copies: 40,
  options: { min: { default: 0, ...notNegative } },
  make: (_, options) => new PositiveDefinite(options),
  set: {
    contains: (value, { min }, tolerance) =>
      isSquareBatch(value) &&
      matricesOf(value)!.every(
        (matrix) =>
          isSymmetric(matrix, tolerance) && isPositiveDefinite(matrix, ROUNDING * largest(matrix.data) - min),
      ),
    sample(shape, { min }) {
      const A = normalNumbers(shape);
      checkSquare('positiveDefinite.sample', A);
      const n = shape.at(-1)!;
      const matrices = batchOf(A);
      const W = tf.add(tf.div(plainMatMul(matrices, matrices, false, true), n), tf.mul(0.1 + min, tf.eye(n)));
      return tf.reshape(W, A.shape);
    },
  },
});
