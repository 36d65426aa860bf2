import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { assignFields } from '../nn/module/assignFields.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout, type MatrixOptions, matrixOptions, withRows } from './matrix/matrixLayout.ts';
import { oneOf } from './options.ts';
import { checkOrthogonalRoom } from './orthogonalMaps/checkOrthogonalRoom.ts';
import { orthogonalMaps } from './orthogonalMaps/orthogonalMaps.ts';
import { haar } from './orthogonalMaps/orthogonalSamples.ts';
import { newThinBase, thinBaseOf, thinFactor } from './orthogonalMaps/thinBase.ts';
import { matricesBy } from './set/matricesBy.ts';
import { isOrthonormal } from './set/orthonormal.ts';

/** The map of {@link grassmannian}. */
export type GrassmannianMap = 'matrixExp' | 'cayley';

/** Options of {@link grassmannian}. */
export interface GrassmannianOptions extends MatrixOptions {
  /** The map from any matrix to an orthogonal one, as of {@link orthogonal}. Default `'matrixExp'`. */
  readonly orthogonalMap?: GrassmannianMap;
}

/**
 * Lets a matrix W with orthonormal columns represent the space that they span. X turns the columns of a base B out of
 * their space: `H = X − B·(BᵀX)` and `W = B·C + S`, where `[C; S]` are the columns of the orthogonal matrix that
 * {@link orthogonal} makes from `[0; H]`. For `'matrixExp'`, `C = cos √(HᵀH)` and `S = H · sin √(HᵀH) / √(HᵀH)`, which
 * is the geodesic from B in the direction H.
 *
 * What X has inside of the space of B does not count, so `(n − k)·k` numbers are free, the dimension of the set of
 * spaces. A wide matrix goes through its transpose.
 *
 * @remarks
 * **Shape**: X, W: [..., m, n], m ≠ n. With `matrix: 'dim'`, the weight is one matrix with a row for each index of the
 * axis `dim`.
 * **State**: `original` = X; a buffer `base` = B, [..., n, k], where n is the larger of the two sides. Registration and
 * assignment set `base` to W and X to 0.
 * **Gradient**: of any order; it has no part inside of the space of B.
 *
 * Use it if the loss depends on `WWᵀ` only. A matrix that has no orthonormal columns becomes the Q of its QR
 * decomposition with a positive diagonal of R. An H with a norm above the limits of {@link Orthogonal} is scaled down.
 * No matrix has more numbers than W, but for some of 2k × 2k.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not a matrix, or square; `OUT_OF_MEMORY`
 * @see Edelman, Arias and Smith 1998, doi:10.1137/S0895479895290954
 */
export class Grassmannian extends Parametrization {
  /** The map from any matrix to an orthogonal one. */
  readonly orthogonalMap: GrassmannianMap;
  /** The orthonormal columns that X turns. */
  readonly base: Variable;
  /** The matrices of a weight of more than two axes. */
  readonly matrix: 'last' | 'dim';
  /** The axis of the rows, for `matrix: 'dim'`. */
  readonly dim: number;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: GrassmannianOptions = {}) {
    super();
    const { orthogonalMap, matrix, dim } = this.checkedOptions(options);
    this.layout = layoutOf('grassmannian', weight.shape, { matrix, dim });
    this.orthogonalMap = orthogonalMap;
    this.matrix = matrix;
    this.dim = dim;
    this.checkRoom();
    this.base = newThinBase(this.layout);
  }

  override forward(X: Tensor): Tensor {
    const { layout, orthogonalMap, base } = this;
    layout.check('grassmannian', X);
    return layout.fromTall(thinFactor(orthogonalMaps[orthogonalMap], base, layout.tall(X), false));
  }

  /** Returns the original of a W with orthonormal columns, zeros. Writes {@link base}. */
  override rightInverse(W: Tensor): Tensor {
    const { layout } = this;
    layout.check('grassmannian', W);
    this.checkRoom();
    const base = tf.tidy(() => tf.reshape(thinBaseOf(layout.tall(W)), this.base.shape));
    assignFields(this, { base });
    return tf.zerosLike(W);
  }

  override isPure(): boolean {
    return true;
  }

  private checkRoom(): void {
    checkOrthogonalRoom('grassmannian', this.layout, this, 'thin');
  }
}

/**
 * Lets a weight with orthonormal columns, or rows if it is wide, represent the space that they span; see
 * {@link Grassmannian}. Such a weight keeps its value; any other becomes the Q of its QR decomposition.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not a matrix, or square; `OUT_OF_MEMORY`; the
 * errors of {@link registerParametrization}
 * @example
 * ```ts
 * grassmannian(new nn.Linear(64, 8)); // the basis of a subspace of 8 dimensions
 * ```
 * @function
 */
export const grassmannian = defineParametrization<Grassmannian, GrassmannianOptions>({
  name: 'grassmannian',
  class: Grassmannian,
  hasFixedFields: true,
  options: {
    orthogonalMap: { default: 'matrixExp', ...oneOf(['matrixExp', 'cayley']) },
    ...matrixOptions,
  },
  make: (target, options) => new Grassmannian(target.value, withRows(target, options)),
  set: {
    contains: (value, options, tolerance) =>
      matricesBy(value, options)?.every(
        (matrix) => matrix.shape[0] !== matrix.shape[1] && isOrthonormal(matrix, tolerance),
      ) ?? false,
    sample(shape, options) {
      const layout = layoutOf('grassmannian.sample', shape, options);
      return layout.fromTall(haar([layout.count, layout.long, layout.short]));
    },
  },
});

/** Refuses square matrices, whose columns span the whole space. */
function layoutOf(caller: string, shape: readonly number[], options: MatrixOptions): MatrixLayout {
  const layout = new MatrixLayout(caller, shape, options);
  const { rows, columns } = layout;
  if (rows !== columns) return layout;
  throw refusal(
    'SHAPE',
    caller,
    `the matrices of shape ${formatShape(shape)} are square, ${rows} × ${columns}, and their columns span the whole space`,
    'Use orthogonal, or a weight that is not square.',
  );
}
