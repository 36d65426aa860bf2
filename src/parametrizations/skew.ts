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

/** Options of {@link skew}. */
export interface SkewOptions {
  /** If true, the lower triangle of X makes the matrix, else the upper one. Default false. */
  readonly lower?: boolean;
}

/**
 * Makes skew-symmetric matrices from one of their strict triangles: `A = T − Tᵀ` with `T = triu(X, 1)`, or
 * `T = tril(X, −1)`.
 *
 * @remarks
 * **Shape**: X, A: [..., n, n].
 * **State**: `original` = X; only the part above its diagonal is used, or the part below with `lower`.
 * **Gradient**: to that part; zero elsewhere.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square
 */
export class Skew extends Parametrization {
  /** True if the lower triangle makes the matrix. */
  readonly lower: boolean;

  constructor(options: SkewOptions = {}) {
    super();
    this.lower = this.checkedOptions(options).lower;
  }

  override forward(X: Tensor): Tensor {
    checkSquare('skew', X);
    const triangle = this.triangle(X);
    return tf.sub(triangle, transpose(triangle));
  }

  /** Returns the strict triangle. If the matrix is not skew-symmetric, the rest is lost. */
  override rightInverse(A: Tensor): Tensor {
    checkSquare('skew', A);
    return this.triangle(A);
  }

  override isPure(): boolean {
    return true;
  }

  private triangle(X: Tensor): Tensor {
    return this.lower ? tril(X, -1) : triu(X, 1);
  }
}

/**
 * Makes a square tensor of a module skew-symmetric; see {@link Skew}. A skew-symmetric weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not square; the errors of
 * {@link registerParametrization}
 * @function
 */
export const skew = defineParametrization<Skew, SkewOptions>({
  name: 'skew',
  class: Skew,
  hasFixedFields: true,
  copies: 21,
  options: { lower: { default: false, isQuiet: true, ...boolean } },
  make: (_, options) => new Skew(options),
  set: {
    contains: (value, _, tolerance) => equalsTranspose(value, -1, tolerance),
    sample: (shape, options) => new Skew(options).forward(normalNumbers(shape)),
  },
});
