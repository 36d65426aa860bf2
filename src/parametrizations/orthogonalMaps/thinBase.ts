import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { buffer } from '../../nn/module/parameter.ts';
import { constantMatMul } from '../../ops/matrix/matMul.ts';
import { positiveQr } from '../../ops/matrix/positiveQr.ts';
import { transpose } from '../../ops/matrix/transpose.ts';
import type { MatrixLayout } from '../matrix/matrixLayout.ts';
import { isOrthogonal } from './orthogonalBase.ts';

// A base B of k orthonormal columns, without the n − k columns that would complete it to a square. The original X has
// the coordinates of the n rows: `inside = BᵀX` turns the columns of B among themselves, and `H = X − B·inside` turns
// them out of their space. Let [C; S] be the orthonormal columns that a map makes from [inside; H]. The columns of S
// are combinations of those of H, so BᵀS = 0, and B·C + S has orthonormal columns. It is the value of the map with the
// square base [B, N] at [inside; NᵀH], but no matrix has more numbers than X or 2k × 2k.

/** Makes a thin base for the matrices of a layout: the first columns of an identity for each. */
export const newThinBase = ({ batchShape, long, short }: MatrixLayout): Variable =>
  buffer(() => tf.broadcastTo(tf.eye(long, short), [...batchShape, long, short]));

/** True if a base has not all columns of a square matrix. */
export const isThin = ({ shape }: Variable): boolean => shape.at(-1) !== shape.at(-2);

/**
 * Returns the factor of X for a thin base: [b, n, k].
 *
 * @param map - a map whose result has only combinations of the columns of X below its first k rows
 * @param turnsInside - false if the part of X inside of the space of the base does not count
 */
export function thinFactor(
  map: (X: Tensor) => Tensor,
  base: Variable,
  X: Tensor,
  turnsInside = true,
): Tensor {
  const [b, n, k] = X.shape as [number, number, number];
  const B = tf.reshape(base, X.shape);
  const transposed = transpose(B);
  const within = constantMatMul(transposed, X);
  const once = tf.sub(X, constantMatMul(B, within));
  // Once more, so that nothing is left of a large part inside.
  const across = tf.sub(once, constantMatMul(B, constantMatMul(transposed, once)));
  const turned = map(tf.concat([turnsInside ? within : tf.zeros([b, k, k]), across], 1));
  const C = tf.slice(turned, [0, 0, 0], [b, k, k]);
  return tf.add(constantMatMul(B, C), tf.slice(turned, [0, k, 0], [b, n, k]));
}

/** Returns the thin base that W is, or its Q if its columns are not orthonormal: [b, n, k]. */
export function thinBaseOf(W: Tensor): Tensor {
  return tf.tidy(() => {
    const { Q, R } = positiveQr(W);
    return tf.where(isOrthogonal(R), W, Q);
  });
}
