import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** From here on, `1 − e⁻ʸ` has all its digits. */
const SMALL = 0.3;

/**
 * Returns the number whose softplus is y: `y + ln(1 − e⁻ʸ)`, for y > 0.
 *
 * Below {@link SMALL}, `1 − e⁻ʸ` is a polynomial, because the GPU backends of tfjs compute `expm1` as `eʸ − 1`. The
 * relative error of the softplus of the result is at most 4e-7 for y from 1e-30 to 1e30.
 *
 * **Shape**: y, result: S.
 * **Gradient**: none.
 */
export function softplusInverse(y: Tensor): Tensor {
  return tf.tidy(() => {
    const series = [5, 4, 3, 2].reduce<Tensor>(
      (sum, n) => tf.tidy(() => tf.sub(1, tf.mul(tf.div(y, n), sum))),
      tf.tidy(() => tf.sub(1, tf.div(y, 6))),
    );
    const complement = tf.where(tf.less(y, SMALL), tf.mul(y, series), tf.sub(1, tf.exp(tf.neg(y))));
    return tf.add(y, tf.log(complement));
  });
}
