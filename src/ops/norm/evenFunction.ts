import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../stopGradient.ts';

/** An even function f(n) of a norm, such as `sin n / n`. */
export interface EvenFunction {
  /** The coefficients of its series in q = n²: `c₀(1 + c₁q(1 + c₂q(1 + …)))`. */
  readonly series: readonly number[];
  /** The square of the norm below which the series is used. */
  readonly limit: number;
  /** The function of a norm that is not small. */
  of(norm: Tensor): Tensor;
}

/**
 * Computes an even function of a norm from the square of the norm. Such a function is smooth where the norm is 0, but
 * its formula in n is not: √q has no derivative there, and `sin n / n` is 0/0. Below `limit`, the series takes its
 * place.
 *
 * **Shape**: kept.
 * **Gradient**: of any order, also at 0.
 */
export function evenFunction(q: Tensor, { series, limit, of }: EvenFunction): Tensor {
  const isSmall = stopGradient(() => tf.cast(tf.less(q, limit), 'float32'));
  const isLarge = stopGradient(() => tf.sub(1, isSmall));
  // Each branch gets a harmless number where the other counts.
  const small = tf.mul(q, isSmall);
  const sum = series.reduceRight<Tensor | null>(
    (inner, c) => (inner === null ? tf.mul(small, c) : tf.mul(tf.mul(small, c), tf.add(1, inner))),
    null,
  )!;
  const large = of(tf.sqrt(tf.add(tf.mul(q, isLarge), isSmall)));
  return tf.add(tf.mul(tf.add(1, sum), isSmall), tf.mul(large, isLarge));
}
