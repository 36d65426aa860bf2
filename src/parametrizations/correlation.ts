import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { weightNormOp } from '../kernels/index.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { cholesky as choleskyOf } from '../ops/matrix/cholesky.ts';
import { diagonalOf } from '../ops/matrix/diagonal.ts';
import { matMulNT } from '../ops/matrix/matMul.ts';
import { psd } from '../ops/matrix/psd.ts';
import { symmetricPart } from '../ops/matrix/symmetricPart.ts';
import { tril } from '../ops/matrix/triangular.ts';
import { isZero, norm } from '../ops/norm/norm.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { batchOf, checkSquare } from './matrix/squareMatrix.ts';
import { boolean } from './options.ts';
import { isPositiveDefinite } from './set/isPositiveDefinite.ts';
import { isSymmetric } from './set/isSymmetric.ts';
import { isSquareBatch, matricesOf } from './set/slices.ts';

/** Options of {@link correlation}. */
export interface CorrelationOptions {
  /** True for the Cholesky factor of the correlation matrix instead of the matrix. Default false. */
  readonly cholesky?: boolean;
}

/** The smallest eigenvalue of a value that was moved into the set, as a part of its norm. */
const FLOOR = 1e-6;

/** The accepted rounding of the eigenvalues. */
const ROUNDING = 1e-6;

/**
 * Makes correlation matrices: symmetric, positive definite, with ones on the diagonal. `W = LLᵀ`, where the rows of L
 * are those of `I + tril(X, −1)` divided by their norms. With `cholesky: true` the value is L.
 *
 * @remarks
 * **Shape**: X, W: [..., n, n].
 * **State**: `original` = X; only the part below the diagonal is used. No buffers.
 * **Gradient**: of any order; zero on and above the diagonal.
 *
 * The right inverse takes the nearest positive semidefinite matrix, with eigenvalues of at least 1e-6 of the norm, and
 * divides it by the roots of its diagonal. Numbers of variance 1/n in X keep W well conditioned.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square
 * @see tfp.bijectors.CorrelationCholesky. torch.distributions.transforms.CorrCholeskyTransform has the same set and
 * another X
 */
export class Correlation extends Parametrization {
  /** True if the value is the Cholesky factor. */
  readonly cholesky: boolean;

  constructor(options: CorrelationOptions = {}) {
    super();
    this.cholesky = this.checkedOptions(options).cholesky;
  }

  override forward(X: Tensor): Tensor {
    checkSquare('correlation', X);
    const L = factorOf(batchOf(X));
    return tf.reshape(this.cholesky ? L : matMulNT(L, L), X.shape);
  }

  /** Returns the X of a correlation matrix near W, or of its factor near W. */
  override rightInverse(W: Tensor): Tensor {
    checkSquare('correlation', W);
    return tf.tidy(() => tf.reshape(this.cholesky ? ofFactor(batchOf(W)) : ofMatrix(batchOf(W)), W.shape));
  }

  override isPure(): boolean {
    return true;
  }
}

/** Divides the rows of `I + tril(X, −1)` by their norms. */
function factorOf(X: Tensor): Tensor {
  const rows = tf.add(tril(X, -1), tf.eye(X.shape[2]!));
  return weightNormOp(tf.ones([...X.shape.slice(0, 2), 1]), rows, [2], 0);
}

/** Divides the rows of a factor by its diagonal. A diagonal of zero or below counts as 1e-3. */
function ofFactor(L: Tensor): Tensor {
  const diagonal = tf.expandDims(diagonalOf(L), 2);
  const lengths = norm(L, [2]);
  const least = tf.mul(1e-3, tf.add(lengths, isZero(lengths)));
  return tril(tf.div(L, tf.where(tf.greater(diagonal, 0), diagonal, least)), -1);
}

function ofMatrix(W: Tensor): Tensor {
  const S = symmetricPart(W);
  const norms = norm(S, [1, 2]);
  const V = tf.tidy(() => psd(S, tf.mul(FLOOR, tf.add(norms, isZero(norms)))));
  const roots = tf.sqrt(tf.expandDims(diagonalOf(V), 2));
  const L = choleskyOf(tf.div(tf.div(V, roots), tf.reshape(roots, [-1, 1, W.shape[2]!])));
  return ofFactor(L);
}

/**
 * Makes the matrices of a weight correlation matrices, or their Cholesky factors; see {@link Correlation}. A
 * correlation matrix keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * correlation(posterior, 'factor', { cholesky: true });
 * ```
 * @function
 */
export const correlation = defineParametrization<Correlation, CorrelationOptions>({
  name: 'correlation',
  class: Correlation,
  hasFixedFields: true,
  copies: 40,
  options: { cholesky: { default: false, ...boolean } },
  make: (_, options) => new Correlation(options),
  set: {
    contains(value, { cholesky }, tolerance) {
      if (!isSquareBatch(value)) return false;
      return matricesOf(value)!.every((matrix) => {
        const n = matrix.shape[0]!;
        const { data } = matrix;
        const isOne = (x: number): boolean => Math.abs(x - 1) <= tolerance;
        if (!cholesky) {
          const isUnit = Array.from({ length: n }, (_, i) => data[i * n + i]!).every(isOne);
          return isUnit && isSymmetric(matrix, tolerance) && isPositiveDefinite(matrix, ROUNDING);
        }
        return Array.from({ length: n }, (_, i) => data.subarray(i * n, (i + 1) * n)).every(
          (row, i) =>
            row[i]! > 0 &&
            row.subarray(i + 1).every((x) => Math.abs(x) <= tolerance) &&
            isOne(Math.hypot(...row)),
        );
      });
    },
    sample(shape, options) {
      const n = Math.max(shape.at(-1) ?? 1, 1);
      return new Correlation(options).forward(normalNumbers(shape, 1 / Math.sqrt(n)));
    },
  },
});
