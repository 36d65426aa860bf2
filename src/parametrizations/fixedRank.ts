import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { pivotedQrDiagonal } from '../ops/float64/pivotedQrDiagonal.ts';
import { diagonalOf } from '../ops/matrix/diagonal.ts';
import { matMul, matMulNT, plainMatMul } from '../ops/matrix/matMul.ts';
import { positiveQr } from '../ops/matrix/positiveQr.ts';
import { rangeBasis } from '../ops/matrix/rangeBasis.ts';
import { transpose } from '../ops/matrix/transpose.ts';
import { softplus, softplusInverse } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import type { RotationMap } from './invertible.ts';
import { factorShapes, shapeOfFactors } from './matrix/factorShapes.ts';
import { MatrixLayout, type MatrixOptions, matrixOptions, withRows } from './matrix/matrixLayout.ts';
import { checkRank, sampleOfRank } from './matrix/rank.ts';
import { boolean, integer, oneOf } from './options.ts';
import { checkOrthogonalRoom } from './orthogonalMaps/checkOrthogonalRoom.ts';
import { baseOf } from './orthogonalMaps/orthogonalFactor.ts';
import { RotatedBase } from './orthogonalMaps/rotatedBase.ts';
import { lifted, upperWith } from './orthogonalMaps/triangularFactor.ts';
import { matricesBy } from './set/matricesBy.ts';

/** Options of {@link fixedRank}. */
export interface FixedRankOptions extends MatrixOptions {
  /** The rank, at most the shorter side of the matrices. */
  readonly rank: number;
  /** The map from any matrix to the orthogonal factors, as of {@link orthogonal}. Default `'matrixExp'`. */
  readonly orthogonalMap?: RotationMap;
  /**
   * If true, buffers hold the factors of the last assignment, and the maps rotate them. A buffer has the shape of its
   * factor, [m, rank] or [n, rank]; it is completed to a square unless this side is above twice the rank. Without
   * buffers, the map must be `'householder'`. Default true.
   */
  readonly useTrivialization?: boolean;
}

/** The number of iterations that find the range of a matrix. */
const ITERATIONS = 8;

/** A pivot below this part of the first one does not count for the rank. */
const NEGLIGIBLE = 1e-7;

/**
 * Makes matrices of exactly one rank: `W = U·R·Vᵀ` with orthonormal columns of U and V, from the maps of
 * {@link orthogonal}, and `R = triu(X, 1) + diag(softplus(diag X))`.
 *
 * @remarks
 * **Shape**: original of U: [..., m, rank], X: [..., rank, rank], original of V: [..., n, rank], W: [..., m, n]. With
 * `matrix: 'dim'`, m is the length of the axis `dim`, n the number of the other elements.
 * **State**: `original0`, `original1`, `original2` = the originals of U, R and V, aliases `U`, `X`, `V`. With
 * `useTrivialization`, buffers `left.base` and `right.base`, the factors of the last assignment.
 * **Gradient**: of any order; to U and V below the diagonal, to X on and above it.
 *
 * A registration keeps a weight of the rank. Any other moves near to the nearest matrix of the rank; numbers on the
 * diagonal of R below 1e-6 of the largest one are raised to that. A read takes two orthogonal maps and two products.
 * Use {@link lowRank} unless the rank may not fall.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor has no matrices, or is smaller than the rank;
 * `OUT_OF_MEMORY`
 * @see Vandereycken 2013, doi:10.1137/110845768
 */
export class FixedRank extends Parametrization {
  /** The rank. */
  readonly rank: number;
  /** The map from any matrix to the orthogonal factors. */
  readonly orthogonalMap: RotationMap;
  /** True if buffers hold the factors of the last assignment. */
  readonly useTrivialization: boolean;
  /** The matrices of a weight of more than two axes. */
  readonly matrix: 'last' | 'dim';
  /** The axis of the rows, for `matrix: 'dim'`. */
  readonly dim: number;
  /** The factor U. */
  readonly left: RotatedBase;
  /** The factor V. */
  readonly right: RotatedBase;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: FixedRankOptions) {
    super();
    const { rank, orthogonalMap, useTrivialization, matrix, dim } = this.checkedOptions(options);
    this.layout = new MatrixLayout('fixedRank', weight.shape, { matrix, dim });
    const { rows, columns, batchShape } = this.layout;
    checkRank('fixedRank', rank, this.layout);
    this.rank = rank;
    this.orthogonalMap = orthogonalMap;
    this.useTrivialization = useTrivialization;
    this.matrix = matrix;
    this.dim = dim;
    const [left, right] = [rows, columns].map((size) => {
      const layout = new MatrixLayout('fixedRank', [...batchShape, size, rank]);
      checkOrthogonalRoom('fixedRank', layout, { orthogonalMap }, useTrivialization ? baseOf(layout) : null);
      return layout;
    });
    this.left = new RotatedBase(left!, orthogonalMap, useTrivialization);
    this.right = new RotatedBase(right!, orthogonalMap, useTrivialization);
  }

  override forward(U: Tensor, X: Tensor, V: Tensor): Tensor {
    const { layout, rank } = this;
    const { count, rows, columns } = layout;
    const x = tf.reshape(X, [count, rank, rank]);
    const R = upperWith(x, softplus(diagonalOf(x)));
    const left = this.left.forward(tf.reshape(U, [count, rows, rank]));
    const right = this.right.forward(tf.reshape(V, [count, columns, rank]));
    return layout.tensor(matMulNT(matMul(left, R), right));
  }

  /** Returns the originals of the nearest matrix of the rank. Writes the bases. */
  override rightInverse(W: Tensor): [U: Tensor, X: Tensor, V: Tensor] {
    const { layout, rank } = this;
    layout.check('fixedRank', W);
    const { batchShape, columns } = layout;
    const [left, X, right] = tf.tidy(() => {
      const A = layout.matrices(W);
      const random = normalNumbers([layout.count, columns, rank]);
      const Q = tf.tidy(() => rangeBasis(A, random, ITERATIONS));
      // QᵀA = R₂ᵀVᵀ and R₂ᵀ = U₂R, so QQᵀA = QU₂·R·Vᵀ.
      const { Q: V, R: second } = positiveQr(transpose(plainMatMul(Q, A, true)));
      const { Q: U, R } = positiveQr(transpose(second));
      return [plainMatMul(Q, U), upperWith(R, softplusInverse(lifted(diagonalOf(R), 1e-6))), V];
    }) as [Tensor, Tensor, Tensor];
    const shapes = factorShapes(layout, rank);
    return [
      tf.reshape(this.left.start(left), shapes.left),
      tf.reshape(X, [...batchShape, rank, rank]),
      tf.reshape(this.right.start(right), shapes.right),
    ];
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Fixes the rank of the matrices of a weight; see {@link FixedRank}. A weight of the rank keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor has no matrices, or is smaller than the rank;
 * `OUT_OF_MEMORY`; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * fixedRank(layer, 'weight', { rank: 4 });
 * ```
 * @function
 */
export const fixedRank = defineParametrization<FixedRank, FixedRankOptions>({
  name: 'fixedRank',
  class: FixedRank,
  hasFixedFields: true,
  copies: 90,
  options: {
    rank: integer(1),
    orthogonalMap: { default: 'matrixExp', ...oneOf(['matrixExp', 'cayley', 'householder']) },
    useTrivialization: { default: true, isQuiet: true, ...boolean },
    ...matrixOptions,
  },
  originals: { U: {}, X: {}, V: {} },
  shape: ([U, , V], options) => shapeOfFactors(U!, V!, options),
  check({ rank, orthogonalMap, useTrivialization }) {
    if (rank === undefined) {
      throw refusal('OPTION', 'fixedRank', 'rank is missing', 'Pass the rank: { rank: 4 }.');
    }
    if (useTrivialization || orthogonalMap === 'householder') return;
    throw refusal(
      'OPTION',
      'fixedRank',
      `orthogonalMap '${orthogonalMap}' needs the bases that useTrivialization: false leaves out`,
      "Pass { orthogonalMap: 'householder' } as well.",
    );
  },
  make: (target, options) => new FixedRank(target.value, withRows(target, options)),
  set: {
    contains(value, options, tolerance) {
      const { rank } = options;
      const matrices = matricesBy(value, options);
      return (
        matrices?.every(({ data, shape: [m, n] }) => {
          const diagonal = pivotedQrDiagonal(data, m!, n!);
          const [first = 0, last = 0, next = 0] = [diagonal[0], diagonal[rank - 1], diagonal[rank]];
          return last > NEGLIGIBLE * first && next <= tolerance * first;
        }) ?? false
      );
    },
    sample: (shape, options) =>
      sampleOfRank(new MatrixLayout('fixedRank.sample', shape, options), options.rank),
  },
});
