import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { transpose } from '../ops/matrix/transpose.ts';
import { tril, triu } from '../ops/matrix/triangular.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { checkSquare } from './matrix/squareMatrix.ts';
import { boolean } from './options.ts';
import { equalsTranspose } from './set/equalsTranspose.ts';

/** Options of {@link symmetric}. */
export interface SymmetricOptions {
  /** If true, the lower triangle of X makes the matrix, else the upper one. Default false. */
  readonly lower?: boolean;
}

/**
 * Makes symmetric matrices from one of their triangles: `A = triu(X) + triu(X, 1)ᵀ`, or `A = tril(X) + tril(X, −1)ᵀ`.
 *
 * @remarks
 * **Shape**: X, A: [..., n, n].
 * **State**: `original` = X; only its upper triangle is used, or its lower one with `lower`.
 * **Gradient**: to that triangle, with the diagonal; zero in the other.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square
 */
export class Symmetric extends Parametrization {
  /** True if the lower triangle makes the matrix. */
  readonly lower: boolean;

  constructor(options: SymmetricOptions = {}) {
    super();
    this.lower = this.checkedOptions(options).lower;
  }

  override forward(X: Tensor): Tensor {
    checkSquare('symmetric', X);
    const { lower } = this;
    return tf.add(lower ? tril(X) : triu(X), transpose(lower ? tril(X, -1) : triu(X, 1)));
  }

  /** Returns the triangle. If the matrix is not symmetric, its other triangle is lost. */
  override rightInverse(A: Tensor): Tensor {
    checkSquare('symmetric', A);
    return this.lower ? tril(A) : triu(A);
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Makes a square tensor of a module symmetric; see {@link Symmetric}. A symmetric weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square; the errors of
 * {@link registerParametrization}
 * @function
 */
export const symmetric = defineParametrization<Symmetric, SymmetricOptions>({
  name: 'symmetric',
  class: Symmetric,
  hasFixedFields: true,
  copies: 25,
  options: { lower: { default: false, isQuiet: true, ...boolean } },
  make: (_, options) => new Symmetric(options),
  set: {
    contains: (value, _, tolerance) => equalsTranspose(value, 1, tolerance),
    sample: (shape, options) => new Symmetric(options).forward(normalNumbers(shape)),
  },
});
