import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { matMulNT, plainMatMul } from '../ops/matrix/matMul.ts';
import { pivotedCholesky } from '../ops/matrix/pivotedCholesky.ts';
import { psd } from '../ops/matrix/psd.ts';
import { rangeBasis } from '../ops/matrix/rangeBasis.ts';
import { symmetricPart } from '../ops/matrix/symmetricPart.ts';
import { isZero, scaleAlong } from '../ops/norm/norm.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { batchOf, checkSquare } from './matrix/squareMatrix.ts';
import { integer } from './options.ts';
import { hasRank } from './set/hasRank.ts';
import { isPositiveDefinite } from './set/isPositiveDefinite.ts';
import { isSymmetric } from './set/isSymmetric.ts';
import { isSquareBatch, largest, matricesOf } from './set/slices.ts';

/** Options of {@link positiveSemidefinite}. */
export interface PositiveSemidefiniteOptions {
  /** The largest rank. Default: the size of the matrices, so any rank. */
  readonly rank?: number;
}

/** The number of iterations that find the range of a matrix. */
const ITERATIONS = 8;

/**
 * Makes symmetric matrices without negative eigenvalues, of a largest rank: `W = YYᵀ`.
 *
 * @remarks
 * **Shape**: Y: [..., n, rank]; W: [..., n, n].
 * **State**: `original` = Y if the rank is n, else `original0` = Y. No buffers.
 * **Gradient**: of any order. `Y·O` gives the same W for an orthogonal O. The gradient to a column of zeros is zero, so
 * it would never train: the right inverse gives such columns random numbers, 1e-3 of the others.
 *
 * The right inverse moves other values: negative eigenvalues become zero, which gives the nearest matrix. If the rank
 * is limited, the result is near the nearest matrix of that rank (1.03 times the smallest distance for random
 * matrices).
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square, or smaller than the rank
 */
export class PositiveSemidefinite extends Parametrization {
  /** The largest rank. */
  readonly rank: number;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: PositiveSemidefiniteOptions = {}) {
    super();
    checkSquare('positiveSemidefinite', weight);
    const n = weight.shape.at(-1)!;
    const { rank = n } = this.checkedOptions(options);
    if (rank > n) {
      throw refusal(
        'SHAPE',
        'positiveSemidefinite',
        `rank ${rank} is above the size of the matrices of shape ${formatShape(weight.shape)}`,
        `Pass a rank of at most ${n}.`,
      );
    }
    this.rank = rank;
  }

  override forward(Y: Tensor): Tensor {
    const factors = batchOf(Y);
    const n = Y.shape.at(-2)!;
    return tf.reshape(matMulNT(factors, factors), [...Y.shape.slice(0, -1), n]);
  }

  /** Returns the Y of the nearest matrix, or of one near it if the rank is limited. */
  override rightInverse(W: Tensor): Tensor | Tensor[] {
    checkSquare('positiveSemidefinite', W);
    const { rank } = this;
    const n = W.shape.at(-1)!;
    const Y = tf.tidy(() => {
      const S = symmetricPart(batchOf(W));
      const P = psd(S, 0);
      const size = scaleAlong(S, [1, 2]);
      return tf.reshape(withoutZeros(rank === n ? pivotedCholesky(P, n, size) : factors(P, rank, size)), [
        ...W.shape.slice(0, -1),
        rank,
      ]);
    });
    return rank === n ? Y : [Y];
  }

  override isPure(): boolean {
    return true;
  }
}

/** Returns the factors of matrices of a lower rank. */
function factors(P: Tensor, rank: number, size: Tensor): Tensor {
  const [b, n] = P.shape as [number, number, number];
  const Q = tf.tidy(() => rangeBasis(P, normalNumbers([b, n, rank]), ITERATIONS));
  const B = tf.tidy(() => symmetricPart(plainMatMul(Q, plainMatMul(P, Q), true)));
  return plainMatMul(Q, pivotedCholesky(B, rank, size));
}

/** Replaces columns of zeros by random numbers, 1e-3 of the root mean square of the others. */
function withoutZeros(Y: Tensor): Tensor {
  const scale = scaleAlong(Y, [1, 2]);
  const unit = tf.div(Y, scale);
  const size = tf.mul(scale, tf.sqrt(tf.mean(tf.square(unit), [1, 2], true)));
  const isEmpty = isZero(tf.max(tf.abs(Y), 1, true));
  const random = normalNumbers(Y.shape, 1e-3);
  const magnitude = tf.add(size, isZero(size));
  return tf.add(Y, tf.mul(isEmpty, tf.mul(magnitude, random)));
}

/**
 * Makes the matrices of a weight symmetric and positive semidefinite, of a largest rank; see
 * {@link PositiveSemidefinite}. A positive semidefinite weight of that rank keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square, or smaller than the rank; the errors
 * of {@link registerParametrization}
 * @example
 * ```ts
 * positiveSemidefinite(layer, 'weight', { rank: 8 });
 * ```
 * @function
 */
export const positiveSemidefinite = defineParametrization<PositiveSemidefinite, PositiveSemidefiniteOptions>({
  name: 'positiveSemidefinite',
  class: PositiveSemidefinite,
  hasFixedFields: true,
  copies: 40,
  options: { rank: integer(1) },
  shape: ([Y]) => [...Y!.slice(0, -1), Y!.at(-2)!],
  make: ({ value }, options) => new PositiveSemidefinite(value, options),
  set: {
    contains: (value, { rank }, tolerance) =>
      isSquareBatch(value) &&
      matricesOf(value)!.every(
        (matrix) =>
          isSymmetric(matrix, tolerance) &&
          (largest(matrix.data) === 0 || isPositiveDefinite(matrix, tolerance * largest(matrix.data))) &&
          hasRank(matrix, rank ?? Number.POSITIVE_INFINITY, tolerance),
      ),
    sample(shape, { rank = shape.at(-1) ?? 1 }) {
      checkSquare('positiveSemidefinite.sample', { shape });
      if (shape.includes(0)) return tf.zeros([...shape]);
      const Y = normalNumbers([...shape.slice(0, -1), rank], 1 / Math.sqrt(rank));
      const W = plainMatMul(batchOf(Y), batchOf(Y), false, true);
      return tf.reshape(W, [...shape]);
    },
  },
});
