import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

// Smooth functions that can be differentiated any number of times.
//
// tfjs computes the derivatives of exp, sigmoid, tanh, softmax and logSoftmax from their saved outputs. It puts the
// saved copy on the tape before the operation itself. So a second derivative does not reach the input from the copy:
// tfjs throws, or silently drops the term if another path exists. The functions of this file compute the derivatives
// from the input.

/** Makes a function of each element from the function and its derivative, which gets the same input. */
export function elementwise(
  value: (x: Tensor) => Tensor,
  derivative: (x: Tensor) => Tensor,
): (x: Tensor) => Tensor {
  return differentiable(value, (dy, x) => tf.mul(dy, derivative(x)));
}

/** `eˣ` */
export const exp = elementwise(tf.exp, (x) => exp(x));

/** `eˣ - 1` */
export const expm1 = elementwise(tf.expm1, exp);

/** `σ(x) = 1 / (1 + e⁻ˣ)` */
export const sigmoid = elementwise(tf.sigmoid, (x) => {
  const y = sigmoid(x);
  return tf.mul(y, tf.sub(1, y));
});

/** `tanh x` */
export const tanh = elementwise(tf.tanh, (x) => tf.sub(1, tf.square(tanh(x))));

/** `ln(1 + eˣ)` */
export const softplus = elementwise(tf.softplus, sigmoid);

/** `1 − e⁻ʸ`, to rounding for y ≥ 0. `tf.expm1` of the webgl and webgpu backends loses the digits of a small y. */
const expComplement = elementwise(
  (y) => {
    const factor = (inner: Tensor | number, divisor: number): Tensor =>
      tf.sub(1, tf.mul(tf.div(y, divisor), inner));
    const series = tf.mul(y, [5, 4, 3, 2].reduce(factor, factor(1, 6)));
    return tf.where(tf.less(y, 0.3), series, tf.sub(1, tf.exp(tf.neg(y))));
  },
  (y) => exp(tf.neg(y)),
);

/**
 * `ln(eʸ − 1)` for y > 0, the inverse of softplus. It is `y + ln(1 − e⁻ʸ)`, so it does not overflow. After an exact
 * softplus, the relative error is 4e-7, and the rounding of the logarithm for a small y: 4e-6 at 1e-30.
 */
export const softplusInverse = elementwise(
  (y) => tf.add(y, tf.log(expComplement(y))),
  (y) => tf.reciprocal(expComplement(y)),
);

/** `2/√π · ∫₀ˣ e^(-t²) dt`, to 2e-7 (tfjs approximates it). */
export const erf = elementwise(tf.erf, (x) => tf.mul(2 / Math.sqrt(Math.PI), exp(tf.neg(tf.square(x)))));

/** `eˣ / Σ eˣ`, the sum over the last axis. */
export const softmax: (x: Tensor) => Tensor = differentiable(tf.softmax, (dy, x) => {
  const y = softmax(x);
  const weighted = tf.mul(dy, y);
  return tf.sub(weighted, tf.mul(y, tf.sum(weighted, -1, true)));
});

/** `x - ln Σ eˣ`, the sum over the last axis. */
export const logSoftmax = differentiable(tf.logSoftmax, (dy, x) =>
  tf.sub(dy, tf.mul(softmax(x), tf.sum(dy, -1, true))),
);

function differentiable(
  value: (x: Tensor) => Tensor,
  gradient: (dy: Tensor, x: Tensor) => Tensor,
): (x: Tensor) => Tensor {
  return tf.customGrad((...inputs) => {
    const [x, save] = inputs as [Tensor, tf.GradSaveFunc];
    const result = value(x);
    save([x]);
    return {
      value: result,
      gradFunc: (dy, saved) => gradient(dy, (saved as Tensor[])[0]!),
    };
  });
}
