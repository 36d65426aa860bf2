import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { elementwise } from './smooth.ts';

// Shading languages allow an error of 5e-4 for their sine and cosine, and the webgl and webgpu backends return them:
// 6e-5 in the software renderer of Chromium. A rotation by such numbers is not orthogonal.

/** π as a sum of numbers of few digits, whose products with a count are exact in float32, and the rest. */
const PI_PARTS = [3.140625, 9.6750259399414062e-4, 1.5099580252808664e-7];

/** The quotients of neighboring coefficients of a series in r²: that of `sin r / r` to r¹², and that of `cos r`. */
const SINE = [6, 20, 42, 72, 110, 156];
const COSINE = [2, 12, 30, 56, 90, 132, 182];

/** Splits x into `kπ + r` with a whole number k and |r| ≤ π/2; returns r and `(−1)ᵏ`. */
function reduced(x: Tensor): [r: Tensor, sign: Tensor] {
  const k = tf.floor(tf.add(tf.div(x, Math.PI), 0.5));
  const rest = PI_PARTS.reduce((sum, part) => tf.sub(sum, tf.mul(k, part)), x);
  // A large x has no digits left. So that `sin² x + cos² x` stays 1, r stays where the series are right: up to π/2 and
  // a rounding error of k.
  const r = tf.clipByValue(rest, -1.6, 1.6);
  const half = tf.mul(k, 0.5);
  const isOdd = tf.sub(k, tf.mul(2, tf.floor(half)));
  return [r, tf.sub(1, tf.mul(2, isOdd))];
}

/** `1 − q/d₁(1 − q/d₂(1 − …))` */
const alternating = (q: Tensor, divisors: readonly number[]): Tensor =>
  divisors.reduceRight<Tensor>((inner, d) => tf.sub(1, tf.mul(tf.div(q, d), inner)), tf.onesLike(q));

/** `sin x`. The error is 2e-7 for |x| ≤ 1e3, on all backends. */
export const sin: (x: Tensor) => Tensor = elementwise(
  (x) => {
    const [r, sign] = reduced(x);
    return tf.mul(tf.mul(sign, r), alternating(tf.square(r), SINE));
  },
  (x) => cos(x),
);

/** `cos x`. The error is 2e-7 for |x| ≤ 1e3, on all backends. */
export const cos: (x: Tensor) => Tensor = elementwise(
  (x) => {
    const [r, sign] = reduced(x);
    return tf.mul(sign, alternating(tf.square(r), COSINE));
  },
  (x) => tf.neg(sin(x)),
);
