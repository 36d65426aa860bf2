import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { matMulTN } from '../ops/matrix/matMul.ts';
import { isZero, scaleAlong } from '../ops/norm/norm.ts';
import { scaleToOne } from '../ops/norm/scaleToOne.ts';
import { stopGradient } from '../ops/stopGradient.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { MatrixLayout, type MatrixOptions, matrixOptions, withRows } from './matrix/matrixLayout.ts';
import { hasSingularValues } from './set/hasSingularValues.ts';
import { matricesBy } from './set/matricesBy.ts';

/** Options of {@link aol}. */
export type AolOptions = MatrixOptions;

/** The largest number of a matrix that counts as zeros. Its inverse has a square in float32. */
const NEGLIGIBLE = 2 ** -60;

/**
 * Limits the singular values of matrices to 1 without iterations or state ("almost orthogonal layer"):
 * `W = X · diag(Σᵢ |XᵀX|ᵢⱼ)^(−½)`. If a matrix has fewer rows than columns, its rows are divided instead.
 *
 * @remarks
 * **Shape**: X, W: S, with matrices in the last two axes, or by `matrix: 'dim'`.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order, with the sign of a product of zero as 0. W does not depend on the scale of X. A column of
 * zeros stays zero with a gradient of zero. A matrix with no number above 1e-18 counts as zeros, because its second
 * derivatives exceed float32.
 *
 * Only a matrix with orthogonal columns of length 1 keeps its value. The largest singular value of a random matrix
 * becomes 0.6 to 0.8. It bounds the Lipschitz constant of linear layers. For a convolution it bounds each matrix, not
 * the operator.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor has no matrices
 * @see Prach and Lampert 2022, arXiv:2208.03160
 */
export class Aol extends Parametrization {
  /** The matrices of a weight of more than two axes. */
  readonly matrix: 'last' | 'dim';
  /** The axis of the rows, for `matrix: 'dim'`. */
  readonly dim: number;
  private readonly layout: MatrixLayout;

  /** @param weight - the tensor to parametrize; only its shape is used */
  constructor(weight: Tensor, options: AolOptions = {}) {
    super();
    const { matrix, dim } = this.checkedOptions(options);
    this.matrix = matrix;
    this.dim = dim;
    this.layout = new MatrixLayout('aol', weight.shape, { matrix, dim });
  }

  override forward(X: Tensor): Tensor {
    const { layout } = this;
    layout.check('aol', X);
    const tall = layout.tall(X);
    const isLarge = stopGradient(() => tf.step(tf.sub(scaleAlong(tall, [1, 2]), NEGLIGIBLE)));
    // The value does not depend on the scale of X.
    const unit = scaleToOne(tf.mul(tall, isLarge), [1, 2]);
    const sums = tf.sum(tf.abs(matMulTN(unit, unit)), 1, true);
    const isEmpty = stopGradient(() => isZero(sums));
    return layout.fromTall(tf.div(unit, tf.sqrt(tf.add(sums, isEmpty))));
  }

  /** Returns the weight. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Limits the singular values of the matrices of a weight to 1; see {@link Aol}.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor has no matrices; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * parametrize(model, [{ type: nn.Linear, apply: aol }]);
 * ```
 * @function
 */
export const aol = defineParametrization<Aol, AolOptions>({
  name: 'aol',
  class: Aol,
  hasFixedFields: true,
  copies: 30,
  options: matrixOptions,
  make: (target, options) => new Aol(target.value, withRows(target, options)),
  set: {
    contains: (value, options, tolerance) =>
      matricesBy(value, options)?.every((matrix) => hasSingularValues(matrix, 0, 1 + tolerance)) ?? false,
    sample(shape, options) {
      const X = normalNumbers(shape);
      return new Aol(X, options).forward(X);
    },
  },
});
