import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../stopGradient.ts';
import { isZero, LARGEST_FLOAT32, scaleAlong } from './norm.ts';

/** The direction of a tensor, its norm, and where they are degenerate. */
export interface Direction {
  /** `u = v / max(‖v‖, eps)`; 0 where v is. */
  readonly unit: Tensor;
  /** `x · y / max(‖v‖, eps)`; 0 where v is, or x or y. */
  readonly productOverNorm: (x: Tensor, y: Tensor) => Tensor;
  /** 1 where `‖v‖ > eps`, so that u has norm 1; else 0. */
  readonly isUnit: Tensor;
  /** 1 where v is not 0; else 0. */
  readonly isNonzero: Tensor;
}

/**
 * The direction of `v` over some axes, in tfjs operations that can be differentiated.
 *
 * All is computed on `v / max|v|`: no square under- or overflows, and no row that is not zero has a norm of zero.
 */
export function direction(v: Tensor, axes: readonly number[], eps: number): Direction {
  const scale = scaleAlong(v, axes);
  const scaled = tf.div(v, scale);
  const squares = tf.sum(tf.square(scaled), [...axes], true);
  const zero = isZero(squares);
  // √ has no finite gradient at 0, so a zero row gets a norm of 1; its direction is 0 all the same.
  const norm = tf.sqrt(tf.add(squares, zero));
  const isNonzero = tf.sub(1, zero);
  let [divisor, isUnit] = [norm, isNonzero];
  if (eps > 0) {
    const floor = tf.div(eps, scale);
    // Not tf.maximum, whose gradient can't be differentiated: it compares.
    isUnit = stopGradient(() => tf.step(tf.sub(norm, floor)));
    divisor = tf.add(tf.mul(norm, isUnit), tf.mul(floor, tf.sub(1, isUnit)));
  }
  return {
    unit: tf.div(scaled, divisor),
    productOverNorm: (x, y) => {
      // Not x · (y / ‖v‖), where a zero meets infinity. Half of a small scale before the product and half after it: the
      // product overflows only if the result does, and underflows only if that is small.
      const [large, root] = [tf.maximum(scale, 1), tf.sqrt(tf.minimum(scale, 1))];
      const before = boundedQuotient(tf.div(y, large), root);
      return tf.mul(tf.div(tf.div(tf.mul(x, before), divisor), root), isNonzero);
    },
    isUnit,
    isNonzero,
  };
}

/** x / divisor, the largest number where that is too large for float32; the gradient is that of the division. */
function boundedQuotient(x: Tensor, divisor: Tensor): Tensor {
  const quotient = tf.div(x, divisor);
  // Values that are infinite before the division stay infinite, and NaN stays NaN.
  const overflow = stopGradient(() => {
    const bounded = tf.minimum(tf.maximum(quotient, -LARGEST_FLOAT32), LARGEST_FLOAT32);
    return tf.where(tf.greater(tf.abs(x), LARGEST_FLOAT32), quotient, bounded);
  });
  return replaced(quotient, overflow);
}

/** Other numbers in the place of x, whose gradient goes to x. */
function replaced(x: Tensor, numbers: Tensor): Tensor {
  const op = tf.customGrad(() => ({ value: tf.clone(numbers), gradFunc: (dy) => tf.clone(dy as Tensor) }));
  return op(x);
}
