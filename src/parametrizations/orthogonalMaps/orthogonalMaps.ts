import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { householderProduct } from '../../ops/matrix/householderProduct.ts';
import { inverse } from '../../ops/matrix/inverse.ts';
import { matMul, matMulTN } from '../../ops/matrix/matMul.ts';
import { matrixExp } from '../../ops/matrix/matrixExp.ts';
import { polarMap } from '../../ops/matrix/polarMap.ts';
import { reorthogonalize } from '../../ops/matrix/reorthogonalize.ts';
import { transpose } from '../../ops/matrix/transpose.ts';
import { tril } from '../../ops/matrix/triangular.ts';
import { norm } from '../../ops/norm/norm.ts';
import { stopGradient } from '../../ops/stopGradient.ts';
import { withLastColumnTimes } from './orthogonalBase.ts';

/** Shorter columns are not divided by their length. */
const SMALL = 1e-9;

/** The name of a map from any matrix to an orthogonal one; see {@link Orthogonal}. */
export type OrthogonalMapName = 'matrixExp' | 'cayley' | 'householder' | 'polar';

/**
 * The maps from X, [b, n, k] with n ≥ k, to Q of the same shape with orthonormal columns. Except for `'polar'`, the
 * gradient is zero on and above the diagonal, and −I is mapped to I.
 */
export const orthogonalMaps: Readonly<Record<OrthogonalMapName, (X: Tensor) => Tensor>> = {
  /**
   * If a matrix has more than twice as many rows as columns, `A = [[K, −Lᵀ], [L, 0]]` rotates only the first k axes and
   * the columns of L. Let N be these columns with length 1, and D their lengths. Then
   * `A·[[I, 0], [0, N]] = [[I, 0], [0, N]]·M` for `M = [[K, −LᵀN], [D, 0]]`, so the first columns of eᴬ are the first
   * columns of `[[I, 0], [0, N]]·eᴹ`.
   */
  matrixExp(X) {
    const [b, n, k] = X.shape as [number, number, number];
    const lower = tril(X, -1);
    if (n <= 2 * k) {
      const zeros = (): Tensor => tf.concat([lower, tf.zeros([b, n, n - k])], 2);
      const L = n === k ? lower : zeros();
      const Q = matrixExp(tf.sub(L, transpose(L)));
      return reorthogonalize(n === k ? Q : tf.slice(Q, [0, 0, 0], [b, n, k]));
    }
    const corner = tf.slice(lower, [0, 0, 0], [b, k, k]);
    const L = tf.slice(lower, [0, k, 0], [b, n - k, k]);
    const lengths = stopGradient(() => {
      const lengths = norm(L, [1]);
      // The lengths of D may be any but zero. The gradients divide by them once more for each order.
      const isSmall = tf.cast(tf.less(lengths, SMALL), 'float32');
      return tf.add(tf.mul(lengths, tf.sub(1, isSmall)), isSmall);
    });
    const N = tf.div(L, lengths);
    const right = tf.concat([tf.neg(matMulTN(L, N)), tf.zeros([b, k, k])], 1);
    const left = tf.concat([tf.sub(corner, transpose(corner)), tf.mul(tf.eye(k), lengths)], 1);
    const columns = tf.slice(matrixExp(tf.concat([left, right], 2)), [0, 0, 0], [b, 2 * k, k]);
    const top = tf.slice(columns, [0, 0, 0], [b, k, k]);
    return reorthogonalize(tf.concat([top, matMul(N, tf.slice(columns, [0, k, 0], [b, k, k]))], 1), 3);
  },

  /**
   * With `I − A/2 = [[P, Lᵀ], [−L, I]]`, only the Schur complement `S = P + LᵀL`, a k × k matrix, has to be inverted.
   * The first columns of the inverse are S⁻¹ and LS⁻¹, and `(I − A/2)⁻¹(I + A/2) = 2(I − A/2)⁻¹ − I`.
   */
  cayley(X) {
    const [b, n, k] = X.shape as [number, number, number];
    const half = tf.mul(bounded(tril(X, -1)), 0.5);
    const K = tf.slice(half, [0, 0, 0], [b, k, k]);
    const P = tf.add(tf.sub(tf.eye(k), K), transpose(K));
    if (n === k) return reorthogonalize(tf.sub(tf.mul(2, inverse(P)), tf.eye(k)));
    const L = tf.slice(half, [0, k, 0], [b, n - k, k]);
    const inverseOfS = inverse(tf.add(P, matMulTN(L, L)));
    const columns = tf.concat([inverseOfS, matMul(L, inverseOfS)], 1);
    return reorthogonalize(tf.sub(tf.mul(2, columns), tf.eye(n, k)), 3);
  },

  householder: (X) => tf.mul(reorthogonalize(householderProduct(X)), diagonalSigns(X)),

  polar: (X) => polarMap(X),
};

/** The householder map of square matrices, whose last sign is the one with which the determinant is 1. */
export function specialHouseholder(X: Tensor): Tensor {
  const n = X.shape[2]!;
  const signs = stopGradient(() => {
    const signs = diagonalSigns(X);
    // Each of the n reflections has the determinant −1.
    return withLastColumnTimes(signs, tf.mul(tf.prod(signs, 2, true), (-1) ** n));
  });
  return tf.mul(reorthogonalize(householderProduct(X)), signs);
}

/** Returns the signs of the diagonal, [b, 1, k], with 1 for zero, as constants for gradients. */
function diagonalSigns(X: Tensor): Tensor {
  const [, n, k] = X.shape as [number, number, number];
  return stopGradient(() => {
    const diagonal = tf.sum(tf.mul(X, tf.eye(n, k)), 1, true);
    const ones = tf.onesLike(diagonal);
    return tf.where(tf.less(diagonal, 0), tf.neg(ones), ones);
  });
}

/**
 * Scales matrices down to a norm at which their Cayley transforms are above rounding errors. The limit is lower for
 * tall matrices, because S has the square of the norm.
 */
function bounded(X: Tensor): Tensor {
  const [, n, k] = X.shape as [number, number, number];
  const limit = n === k ? 1e4 : 500;
  return tf.mul(
    X,
    stopGradient(() => tf.div(limit, tf.maximum(norm(X, [1, 2]), limit))),
  );
}
