import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { transpose } from '../ops/matrix/transpose.ts';
import { triu } from '../ops/matrix/triangular.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { checkSquare } from './matrix/squareMatrix.ts';

/**
 * Makes skew-symmetric matrices from their strict upper triangle: `A = triu(X, 1) − triu(X, 1)ᵀ`.
 *
 * @remarks
 * **Shape**: X, A: [..., n, n].
 * **State**: `original` = X; only the part above its diagonal is used.
 * **Gradient**: to the part above the diagonal; zero elsewhere.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the tensor is not square
 */
export class Skew extends Parametrization {
  override forward(X: Tensor): Tensor {
    checkSquare('skew', X);
    const upper = triu(X, 1);
    return tf.sub(upper, transpose(upper));
  }

  /** Returns the part above the diagonal. If the matrix is not skew-symmetric, the rest is lost. */
  override rightInverse(A: Tensor): Tensor {
    checkSquare('skew', A);
    return triu(A, 1);
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Makes a square tensor of a module skew-symmetric: `A = triu(X, 1) − triu(X, 1)ᵀ`; see {@link Skew}.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the tensor is not square; the errors of {@link registerParametrization}
 * @function
 */
export const skew = defineParametrization<Skew>({
  name: 'skew',
  class: Skew,
  hasFixedFields: true,
  copies: 21,
  options: {},
  make: () => new Skew(),
});
