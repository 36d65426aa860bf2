import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { matMulNT, plainMatMul } from '../ops/matrix/matMul.ts';
import { rangeBasis } from '../ops/matrix/rangeBasis.ts';
import { transpose } from '../ops/matrix/transpose.ts';
import { norm } from '../ops/norm/norm.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { factorShapes, shapeOfFactors } from './matrix/factorShapes.ts';
import { MatrixLayout, type MatrixOptions, matrixOptions, withRows } from './matrix/matrixLayout.ts';
import { checkRank, sampleOfRank } from './matrix/rank.ts';
import { integer } from './options.ts';
import { hasRank } from './set/hasRank.ts';
import { matricesBy } from './set/matricesBy.ts';

/** Options of {@link lowRank}. */
export interface LowRankOptions extends MatrixOptions {
  /** The largest rank, at most the shorter side of the matrices. */
  readonly rank: number;
}

/** The number of iterations that find the range of a matrix. */
const ITERATIONS = 8;

/** A row of `QᵀW` below this part of the largest one is rounding. */
const NEGLIGIBLE = 1e-6;

/**
 * Makes matrices of a largest rank: `W = UVᵀ`.
 *
 * @remarks
 * **Shape**: U: [..., m, rank], V: [..., n, rank], W: [..., m, n]. With `matrix: 'dim'`, U: [rows, rank], and V has the
 * other axes of the weight and rank.
 * **State**: `original0` = U, `original1` = V. No buffers.
 * **Gradient**: of any order. `UA` and `VA⁻ᵀ` give the same W for an invertible A. Weight decay of U and V is a penalty
 * on the sum of the singular values of W.
 *
 * A registration keeps a weight of the rank. Any other moves near to the nearest matrix of that rank: to 1 % of the
 * smallest distance. Both factors get columns of equal length. For a W of lower rank, further columns of U are
 * orthonormal and those of V are zero, so they train at once.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor has no matrices, or is smaller than the rank
 */
export class LowRank extends Parametrization {
  /** The largest rank. */
  readonly rank: number;
  /** The matrices of a weight of more than two axes. */
  readonly matrix: 'last' | 'dim';
  /** The axis of the rows, for `matrix: 'dim'`. */
  readonly dim: number;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: LowRankOptions) {
    super();
    const { rank, matrix, dim } = this.checkedOptions(options);
    this.matrix = matrix;
    this.dim = dim;
    this.layout = new MatrixLayout('lowRank', weight.shape, { matrix, dim });
    checkRank('lowRank', rank, this.layout);
    this.rank = rank;
  }

  override forward(U: Tensor, V: Tensor): Tensor {
    const { layout, rank } = this;
    const { count, rows, columns } = layout;
    return layout.tensor(matMulNT(tf.reshape(U, [count, rows, rank]), tf.reshape(V, [count, columns, rank])));
  }

  /** Returns factors of the nearest matrix of the rank. */
  override rightInverse(W: Tensor): [Tensor, Tensor] {
    const { layout, rank } = this;
    layout.check('lowRank', W);
    const { count, columns } = layout;
    return tf.tidy(() => {
      const A = layout.matrices(W);
      const Q = tf.tidy(() => {
        const random = normalNumbers([count, columns, rank]);
        return rangeBasis(A, random, ITERATIONS);
      });
      const B = plainMatMul(Q, A, true);
      const lengths = norm(B, [2]);
      const isNegligible = tf.cast(
        tf.lessEqual(lengths, tf.mul(NEGLIGIBLE, tf.max(lengths, 1, true))),
        'float32',
      );
      // Divided by √length, or by 1 where V becomes zero.
      const root = tf.sqrt(tf.add(tf.mul(lengths, tf.sub(1, isNegligible)), isNegligible));
      const V = tf.div(tf.mul(B, tf.sub(1, isNegligible)), root);
      const { left, right } = factorShapes(layout, rank);
      return [tf.reshape(tf.mul(Q, transpose(root)), left), tf.reshape(transpose(V), right)];
    }) as [Tensor, Tensor];
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Limits the rank of the matrices of a weight; see {@link LowRank}. A weight of the rank keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor has no matrices, or is smaller than the rank; the
 * errors of {@link registerParametrization}
 * @example
 * ```ts
 * lowRank(layer, 'weight', { rank: 8 });
 * lowRank(conv, 'weight', { rank: 4, matrix: 'dim' }); // one row for each output channel
 * ```
 * @function
 */
export const lowRank = defineParametrization<LowRank, LowRankOptions>({
  name: 'lowRank',
  class: LowRank,
  hasFixedFields: true,
  copies: 40,
  options: { rank: integer(1), ...matrixOptions },
  originals: { U: {}, V: {} },
  shape: ([U, V], options) => shapeOfFactors(U!, V!, options),
  check({ rank }) {
    if (rank !== undefined) return;
    throw refusal('OPTION', 'lowRank', 'rank is missing', 'Pass the largest rank: { rank: 4 }.');
  },
  make: (target, options) => new LowRank(target.value, withRows(target, options)),
  set: {
    contains(value, options, tolerance) {
      const matrices = matricesBy(value, options);
      return matrices?.every((matrix) => hasRank(matrix, options.rank, tolerance)) ?? false;
    },
    sample: (shape, options) =>
      sampleOfRank(new MatrixLayout('lowRank.sample', shape, options), options.rank),
  },
});
