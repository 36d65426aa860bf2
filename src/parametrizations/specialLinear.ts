import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { luPivots } from '../ops/float64/luPivots.ts';
import { diagonalOf } from '../ops/matrix/diagonal.ts';
import { matMul } from '../ops/matrix/matMul.ts';
import { positiveQr } from '../ops/matrix/positiveQr.ts';
import { exp, softplus, softplusInverse } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import type { RotationMap } from './invertible.ts';
import { MatrixLayout } from './matrix/matrixLayout.ts';
import { checkSquare } from './matrix/squareMatrix.ts';
import { oneOf } from './options.ts';
import { factorAt, newBase, startAt } from './orthogonalMaps/orthogonalFactor.ts';
import { lifted, upperWith } from './orthogonalMaps/triangularFactor.ts';
import { matricesBy } from './set/matricesBy.ts';

/** Options of {@link specialLinear}. */
export interface SpecialLinearOptions {
  /** The map from any matrix to the orthogonal factor, as of {@link orthogonal}. Default `'matrixExp'`. */
  readonly orthogonalMap?: RotationMap;
}

/** The accepted logarithm of a determinant: rounding to float32 changes that of a matrix with a condition of 1e4 so. */
const LOG_DETERMINANT = 5e-3;

/** A number below every softplus that is not zero in float32, so that the logarithm is finite. */
const TINY = 1e-30;

/**
 * Gives matrices the determinant 1: `W = Q·R`, with `Q = base · map(A)`, a rotation, and an upper triangle R with
 * `rᵢ = exp(log dᵢ − mean log d)`, `d = softplus(diag X)`, on the diagonal.
 *
 * @remarks
 * **Shape**: A, X, W: [..., n, n].
 * **State**: `original0` = A, alias `A`; `original1` = X, alias `X`; a buffer `base`, [..., n, n], the Q of the last
 * assignment.
 * **Gradient**: of any order; to A below the diagonal, to X on and above it. A common factor of d has no effect.
 *
 * A matrix with determinant 1 keeps its value. Any other invertible matrix is divided by `|det W|^(1/n)`, and the last
 * column of its Q is negated if the determinant is negative. Numbers on the diagonal of R below 1e-6 of the largest one
 * are raised to 1e-3 of it. In float32, the determinant of the value is 1 ± 2e-5 for n = 64 and a condition number of
 * 6e4.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square
 * @see {@link orthogonal} for the maps
 */
export class SpecialLinear extends Parametrization {
  /** The map from any matrix to the orthogonal factor. */
  readonly orthogonalMap: RotationMap;
  /** True: the orthogonal factor is a rotation. */
  readonly special = true;
  /** The matrix that the map rotates. */
  readonly base: Variable;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: SpecialLinearOptions = {}) {
    super();
    this.orthogonalMap = this.checkedOptions(options).orthogonalMap;
    checkSquare('specialLinear', weight);
    this.layout = new MatrixLayout('specialLinear', weight.shape);
    this.base = newBase(this.layout);
  }

  override forward(A: Tensor, X: Tensor): Tensor {
    const { layout } = this;
    layout.check('specialLinear', X);
    const x = layout.matrices(X);
    const logs = tf.log(tf.add(softplus(diagonalOf(x)), TINY));
    const R = upperWith(x, exp(tf.sub(logs, tf.mean(logs, 1, true))));
    return layout.tensor(matMul(factorAt(this, layout.matrices(A)), R));
  }

  /** Returns the originals of a W with determinant 1. Writes {@link base}. */
  override rightInverse(W: Tensor): [A: Tensor, X: Tensor] {
    const { layout } = this;
    layout.check('specialLinear', W);
    const { Q, R } = positiveQr(layout.matrices(W));
    const X = tf.tidy(() => {
      const d = lifted(diagonalOf(R), 1e-3);
      const root = tf.exp(tf.mean(tf.log(d), 1, true));
      return upperWith(tf.div(R, tf.expandDims(root, 2)), softplusInverse(tf.div(d, root)));
    });
    return [layout.tensor(startAt(this, Q)), layout.tensor(X)];
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Gives the matrices of a weight the determinant 1; see {@link SpecialLinear}. A weight with determinant 1 keeps its
 * value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * specialLinear(flow, 'mixing'); // a flow that keeps volumes
 * ```
 * @function
 */
export const specialLinear = defineParametrization<SpecialLinear, SpecialLinearOptions>({
  name: 'specialLinear',
  class: SpecialLinear,
  hasFixedFields: true,
  copies: 190,
  originals: { A: {}, X: {} },
  options: { orthogonalMap: { default: 'matrixExp', ...oneOf(['matrixExp', 'cayley', 'householder']) } },
  make: ({ value }, options) => new SpecialLinear(value, options),
  set: {
    contains: (value, _, tolerance) =>
      matricesBy(value)?.every(({ data, shape: [m, n] }) => {
        if (m !== n) return false;
        const { sign, logDeterminant } = luPivots(data, n!);
        return sign > 0 && Math.abs(logDeterminant) <= Math.max(LOG_DETERMINANT, tolerance);
      }) ?? false,
    sample(shape) {
      const numbers = normalNumbers(shape);
      const map = new SpecialLinear(numbers);
      const value = map.forward(...map.rightInverse(numbers));
      map.dispose();
      return value;
    },
  },
});
