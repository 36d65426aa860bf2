import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { transpose } from '../ops/matrix/transpose.ts';
import { triu } from '../ops/matrix/triangular.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { checkSquare } from './matrix/squareMatrix.ts';

/**
 * Makes symmetric matrices from their upper triangle: `A = triu(X) + triu(X, 1)ᵀ`.
 *
 * @remarks
 * **Shape**: X, A: [..., n, n].
 * **State**: `original` = X; only its upper triangle is used.
 * **Gradient**: to the upper triangle; zero below the diagonal.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the tensor is not square
 */
export class Symmetric extends Parametrization {
  override forward(X: Tensor): Tensor {
    checkSquare('symmetric', X);
    return tf.add(triu(X), transpose(triu(X, 1)));
  }

  /** Returns the upper triangle. If the matrix is not symmetric, its lower triangle is lost. */
  override rightInverse(A: Tensor): Tensor {
    checkSquare('symmetric', A);
    return triu(A);
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Makes a square tensor of a module symmetric: `A = triu(X) + triu(X, 1)ᵀ`; see {@link Symmetric}.
 *
 * @throws {@link ParametrizeError} `SHAPE` if the tensor is not square; the errors of {@link registerParametrization}
 * @function
 */
export const symmetric = defineParametrization<Symmetric>({
  name: 'symmetric',
  class: Symmetric,
  hasFixedFields: true,
  copies: 25,
  options: {},
  make: () => new Symmetric(),
});
