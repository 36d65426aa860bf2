import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { luPivots } from '../ops/float64/luPivots.ts';
import { diagonalOf } from '../ops/matrix/diagonal.ts';
import { matMul } from '../ops/matrix/matMul.ts';
import { positiveQr } from '../ops/matrix/positiveQr.ts';
import { softplus, softplusInverse } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout } from './matrix/matrixLayout.ts';
import { checkSquare } from './matrix/squareMatrix.ts';
import { oneOf } from './options.ts';
import { factorAt, newBase, startAt } from './orthogonalMaps/orthogonalFactor.ts';
import { lifted, upperWith } from './orthogonalMaps/triangularFactor.ts';
import { matricesBy } from './set/matricesBy.ts';
import { largest } from './set/slices.ts';

/** The map of the orthogonal factor of {@link invertible} and {@link specialLinear}. */
export type RotationMap = 'matrixExp' | 'cayley' | 'householder';

/** Options of {@link invertible}. */
export interface InvertibleOptions {
  /** The map from any matrix to the orthogonal factor, as of {@link orthogonal}. Default `'matrixExp'`. */
  readonly orthogonalMap?: RotationMap;
}

/**
 * Makes matrices invertible: `W = Q·R` with `Q = base · map(A)` and `R = triu(X, 1) + diag(softplus(diag X))`, which is
 * the QR decomposition of W with a positive diagonal. Every invertible matrix has exactly one.
 *
 * @remarks
 * **Shape**: A, X, W: [..., n, n].
 * **State**: `original0` = A, alias `A`; `original1` = X, alias `X`; a buffer `base`, [..., n, n], the Q of the last
 * assignment.
 * **Gradient**: of any order; to A below the diagonal, to X on and above it.
 *
 * The sign of the determinant is that of `base`, so training cannot change it. An invertible matrix keeps its value, up
 * to a condition number of about 1e6. For others, the numbers on the diagonal of R below 1e-6 of the largest one are
 * raised to that.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square
 * @see {@link orthogonal} for the maps
 */
export class Invertible extends Parametrization {
  /** The map from any matrix to the orthogonal factor. */
  readonly orthogonalMap: RotationMap;
  /** The matrix that the map rotates. */
  readonly base: Variable;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: InvertibleOptions = {}) {
    super();
    this.orthogonalMap = this.checkedOptions(options).orthogonalMap;
    checkSquare('invertible', weight);
    this.layout = new MatrixLayout('invertible', weight.shape);
    this.base = newBase(this.layout);
  }

  override forward(A: Tensor, X: Tensor): Tensor {
    const { layout } = this;
    layout.check('invertible', X);
    const x = layout.matrices(X);
    const R = upperWith(x, softplus(diagonalOf(x)));
    return layout.tensor(matMul(factorAt(this, layout.matrices(A)), R));
  }

  /** Returns the originals of an invertible W. Writes {@link base}. */
  override rightInverse(W: Tensor): [A: Tensor, X: Tensor] {
    const { layout } = this;
    layout.check('invertible', W);
    const { Q, R } = positiveQr(layout.matrices(W));
    const X = tf.tidy(() => upperWith(R, softplusInverse(lifted(diagonalOf(R), 1e-6))));
    return [layout.tensor(startAt(this, Q)), layout.tensor(X)];
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Makes the matrices of a weight invertible; see {@link Invertible}. An invertible weight keeps its value, and the sign
 * of its determinant.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * invertible(flow, 'mixing'); // an invertible 1 × 1 convolution
 * ```
 * @function
 */
export const invertible = defineParametrization<Invertible, InvertibleOptions>({
  name: 'invertible',
  class: Invertible,
  hasFixedFields: true,
  copies: 190,
  originals: { A: {}, X: {} },
  options: { orthogonalMap: { default: 'matrixExp', ...oneOf(['matrixExp', 'cayley', 'householder']) } },
  make: ({ value }, options) => new Invertible(value, options),
  set: {
    contains: (value) =>
      matricesBy(value)?.every(({ data, shape: [m, n] }) => {
        // Not by the tolerance: 1e-4 would refuse matrices with a condition number of 1e4.
        return m === n && luPivots(data, n!).smallest > 1e-7 * largest(data);
      }) ?? false,
    sample(shape) {
      const numbers = normalNumbers(shape, 1 / Math.sqrt(shape.at(-1) || 1));
      checkSquare('invertible.sample', numbers);
      new MatrixLayout('invertible.sample', shape);
      return numbers;
    },
  },
});
