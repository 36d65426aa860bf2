import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { tril, triu } from '../ops/matrix/triangular.ts';
import { exp, softplus, softplusInverse } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { boolean, oneOf } from './options.ts';
import type { PositiveMap } from './positive.ts';
import { largest, matricesOf } from './set/slices.ts';

/** The diagonal of a triangular matrix: any numbers, positive ones, or ones. */
export type TriangularDiagonal = 'any' | 'positive' | 'unit';

/** Options of {@link triangular}. */
export interface TriangularOptions {
  /** True for a lower triangle, false for an upper one. Default true. */
  readonly lower?: boolean;
  /** The diagonal. Default `'any'`. */
  readonly diagonal?: TriangularDiagonal;
  /** The map of a positive diagonal. Default `'softplus'`. */
  readonly map?: PositiveMap;
}

/**
 * Makes matrices triangular. For a lower triangle,
 *
 * - `L = tril(X)` with `diagonal: 'any'`;
 * - `L = tril(X, −1) + diag(softplus(diag X))` with `'positive'`, or eˣ in place of softplus with `map: 'exp'`;
 * - `L = tril(X, −1) + I` with `'unit'`.
 *
 * @remarks
 * **Shape**: X, L: [..., m, n].
 * **State**: `original` = X; its other triangle is not used. No buffers.
 * **Gradient**: of any order; zero to the other triangle, and to the diagonal with `'unit'`.
 *
 * The right inverse drops the other triangle, which gives the nearest triangular matrix. A diagonal element of 0 or
 * below becomes `1e-3 · mean|diagonal|`, and at least 1e-6, with `'positive'`. A matrix with random numbers of variance
 * 1 below a diagonal of ones is badly conditioned: the condition number of `LLᵀ` is about 1e9 for n = 16. Numbers of
 * variance 1/n keep it below 1000.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not a matrix or a batch of matrices
 * @see torch.distributions.transforms.LowerCholeskyTransform, tfp.bijectors.FillScaleTriL
 */
export class Triangular extends Parametrization {
  /** True for a lower triangle. */
  readonly lower: boolean;
  /** The diagonal. */
  readonly diagonal: TriangularDiagonal;
  /** The map of a positive diagonal. */
  readonly map: PositiveMap;

  constructor(options: TriangularOptions = {}) {
    super();
    const { lower, diagonal, map } = this.checkedOptions(options);
    this.lower = lower;
    this.diagonal = diagonal;
    this.map = map;
  }

  override forward(X: Tensor): Tensor {
    checkMatrix(X);
    if (this.diagonal === 'any') return this.lower ? tril(X) : triu(X);
    const triangle = this.lower ? tril(X, -1) : triu(X, 1);
    const I = identity(X);
    if (this.diagonal === 'unit') return tf.add(triangle, I);
    const positive = this.map === 'exp' ? exp : softplus;
    return tf.add(triangle, tf.mul(positive(tf.mul(X, I)), I));
  }

  /** Returns the triangle. The other triangle of a matrix is lost, and its diagonal becomes positive or one. */
  override rightInverse(L: Tensor): Tensor {
    checkMatrix(L);
    return tf.tidy(() => {
      if (this.diagonal !== 'positive') return this.lower ? tril(L) : triu(L);
      const triangle = this.lower ? tril(L, -1) : triu(L, 1);
      return tf.add(triangle, positiveDiagonal(L, this.map === 'exp' ? tf.log : softplusInverse));
    });
  }

  override isPure(): boolean {
    return true;
  }
}

/** Returns a diagonal matrix with the inverse of a positive map of the diagonal of L. */
function positiveDiagonal(L: Tensor, inverse: (x: Tensor) => Tensor): Tensor {
  const I = identity(L);
  const count = Math.min(...L.shape.slice(-2));
  const diagonal = tf.mul(L, I);
  const mean = tf.div(tf.sum(tf.abs(diagonal), [-2, -1], true), count);
  const smallest = tf.maximum(tf.mul(1e-3, mean), 1e-6);
  const isPositive = tf.greater(diagonal, 0);
  // Outside of the diagonal, the argument is 1, so that the inverse is finite.
  const lifted = tf.where(isPositive, diagonal, tf.mul(smallest, tf.onesLike(L)));
  return tf.mul(inverse(tf.add(tf.mul(lifted, I), tf.sub(1, I))), I);
}

/**
 * Makes the matrices of a weight triangular; see {@link Triangular}. A triangular weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION`; `SHAPE` if the tensor is not a matrix; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * triangular(flow, 'scale', { diagonal: 'positive' }); // a Cholesky factor
 * ```
 * @function
 */
export const triangular = defineParametrization<Triangular, TriangularOptions>({
  name: 'triangular',
  class: Triangular,
  hasFixedFields: true,
  copies: 36,
  options: {
    lower: { default: true, ...boolean },
    diagonal: { default: 'any', ...oneOf(['any', 'positive', 'unit']) },
    map: { default: 'softplus', isQuiet: true, ...oneOf(['softplus', 'exp']) },
  },
  make: (_, options) => new Triangular(options),
  set: {
    contains(value, { lower, diagonal }, tolerance) {
      const matrices = matricesOf(value);
      if (matrices === null) return false;
      return matrices.every(({ data, shape }) => {
        const columns = shape[1]!;
        const bound = tolerance * largest(data);
        return data.every((x, i) => {
          const offset = (i % columns) - Math.floor(i / columns);
          if (offset === 0) return isOnDiagonal(diagonal, x, tolerance);
          return offset < 0 === lower || Math.abs(x) <= bound;
        });
      });
    },
    sample(shape, options) {
      const columns = shape.at(-1) ?? 1;
      const X = normalNumbers(shape, 1 / Math.sqrt(Math.max(columns, 1)));
      return new Triangular(options).forward(X);
    },
  },
});

const isOnDiagonal = (diagonal: TriangularDiagonal, x: number, tolerance: number): boolean =>
  diagonal === 'any' || (diagonal === 'unit' ? Math.abs(x - 1) <= tolerance : x > 0);

/** Returns a rectangular identity with the shape of the matrices of x, [m, n]. */
const identity = ({ shape }: Tensor): Tensor => tf.eye(shape.at(-2)!, shape.at(-1)!);

/** Throws unless a tensor has at least two axes. */
function checkMatrix({ rank, shape }: Tensor): void {
  if (rank >= 2) return;
  throw refusal(
    'SHAPE',
    'triangular',
    `expected a matrix or a batch of matrices, got shape ${formatShape(shape)}`,
    'Register it on a weight.',
  );
}
