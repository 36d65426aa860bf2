import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { diagonalOf, withDiagonal } from '../../ops/matrix/diagonal.ts';
import { tril } from '../../ops/matrix/triangular.ts';
import { softplus, softplusInverse } from '../../ops/smooth.ts';

/**
 * Returns lower triangles with a positive diagonal: `tril(X, −1) + diag(softplus(diag X))`.
 *
 * **Shape**: X, result: [..., n, n].
 * **Gradient**: of any order; zero to the upper triangle.
 */
export const positiveTriangle = (X: Tensor): Tensor => withDiagonal(tril(X, -1), softplus(diagonalOf(X)));

/** The inverse of {@link positiveTriangle} for lower triangles with a positive diagonal. It has no gradient. */
export const positiveTriangleInverse = (L: Tensor): Tensor =>
  tf.tidy(() => withDiagonal(tril(L, -1), softplusInverse(diagonalOf(L))));
