import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { constant } from './constant.ts';
import { isZero } from './norm.ts';
import { constantTimes, times } from './product.ts';

/** The largest size of a matrix for which the polynomial of degree 16 is exact in float32. */
const SMALL = 2.5;

/** How often the result is squared at most. */
const SQUARINGS = 9;

/**
 * The exponentials of matrices, `eᴬ = (e^(A·2⁻ˢ))^(2ˢ)`, to the accuracy of float32.
 *
 * The number s of squarings that a matrix needs is never read: all nine are computed, and those that it does not need
 * multiply by I. A matrix of a size above 1,280 is scaled down to it; the size, by the powers of A that are computed
 * anyway, is between the largest eigenvalue and `max(‖A³‖^⅓, ‖A⁴‖^¼)`, about thrice that.
 *
 * @remarks
 * **Shape**: A, eᴬ: [b, n, n].
 * **Gradient**: of any order.
 *
 * @see torch.linalg.matrix_exp. Al-Mohy and Higham 2009, doi:10.1137/09074721X, for the size
 */
export function matrixExp(A: Tensor): Tensor {
  const [b, n] = A.shape as [number, number, number];
  // Scaled to a norm of 1, so that no power overflows.
  const norm = constant(() => {
    const largest = tf.max(tf.sum(tf.abs(A), 1, true), 2, true);
    return tf.add(largest, isZero(largest));
  });
  const unit = tf.div(A, norm);
  const square = times(unit, unit);
  const [cube, fourth] = [times(square, unit), times(square, square)];
  const size = constant(() => tf.mul(norm, tf.maximum(root(cube, 3), root(fourth, 4))));
  const isSquared = constant(() => tf.cast(tf.greater(size, tf.tensor1d(THRESHOLDS)), 'float32'));
  const scale = constant(() => {
    const halvings = tf.prod(tf.sub(1, tf.mul(0.5, isSquared)), 2, true);
    const limit = SMALL * 2 ** SQUARINGS;
    return tf.mul(tf.mul(norm, halvings), tf.div(limit, tf.maximum(size, limit)));
  });
  const identity = tf.broadcastTo(tf.eye(n), A.shape);
  let X = polynomial([identity, unit, square, cube], fourth, scale);
  for (let i = 0; i < SQUARINGS; i++) {
    const mask = tf.slice(isSquared, [0, 0, i], [b, 1, 1]);
    // Not by tf.where, which spends as long on spreading the condition on wasm as on the product.
    const factor = tf.add(
      tf.mul(X, mask),
      constant(() => tf.mul(identity, tf.sub(1, mask))),
    );
    X = times(X, factor);
  }
  return X;
}

/** Where one more squaring is needed. */
const THRESHOLDS = Array.from({ length: SQUARINGS }, (_, i) => SMALL * 2 ** i);

/** The k-th root of the Frobenius norm. */
const root = (power: Tensor, k: number): Tensor =>
  tf.pow(tf.sum(tf.square(power), [1, 2], true), 1 / (2 * k));

/** `1/k!` for k up to 16. */
const INVERSE_FACTORIALS = [1];
for (let k = 1; k <= 16; k++) INVERSE_FACTORIALS.push(INVERSE_FACTORIALS[k - 1]! / k);

/**
 * `Σ (sA)ᵏ/k!` for k up to 16: a polynomial in A⁴ whose coefficients are polynomials in A, all four by one product.
 *
 * @param powers - I, A, A², A³
 * @param scale - s, [b, 1, 1]
 */
function polynomial(powers: readonly Tensor[], fourth: Tensor, scale: Tensor): Tensor {
  const { shape } = fourth;
  const [b, n] = shape as [number, number, number];
  const coefficients = constant(() =>
    tf.mul(tf.pow(scale, tf.tensor1d([0, 1, 2, 3])), tf.tensor2d(INVERSE_FACTORIALS.slice(0, 16), [4, 4])),
  );
  const rows = tf.concat(
    powers.map((power) => tf.reshape(power, [b, 1, n * n])),
    1,
  );
  const sums = constantTimes(coefficients, rows);
  const coefficient = (i: number): Tensor => tf.reshape(tf.slice(sums, [0, i, 0], [b, 1, n * n]), shape);
  const step = tf.mul(
    fourth,
    constant(() => tf.pow(scale, 4)),
  );
  const highest = tf.add(coefficient(3), tf.mul(step, INVERSE_FACTORIALS[16]!));
  return [2, 1, 0].reduce((sum, i) => tf.add(times(sum, step), coefficient(i)), highest);
}
