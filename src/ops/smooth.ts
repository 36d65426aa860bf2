import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

// Smooth functions that can be differentiated any number of times.
//
// tfjs computes the derivatives of exp, sigmoid, tanh, softmax and logSoftmax from their saved outputs, and puts the
// copy that it saves on the tape before the operation itself. A second derivative therefore does not find its way from
// the copy back to the input: tfjs throws, or silently leaves the term out where there is another way. The derivatives
// here are computed from the input, by functions of this file.

/** A function of each element, and its derivative as a function of the same input. */
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
    save([x]);
    return {
      value: value(x),
      gradFunc: (dy, saved) => gradient(dy, (saved as Tensor[])[0]!),
    };
  });
}
