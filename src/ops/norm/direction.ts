import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../stopGradient.ts';
import { isZero, LARGEST_FLOAT32, scaleAlong } from './norm.ts';

/** The direction of a tensor, its norm, and masks of the degenerate cases. */
export interface Direction {
  /** `u = v / max(‖v‖, eps)`; 0 where v is 0. */
  readonly unit: Tensor;
  /** `x · y / max(‖v‖, eps)`; 0 where v, x or y is 0. */
  readonly productOverNorm: (x: Tensor, y: Tensor) => Tensor;
  /** 1 where `‖v‖ > eps`, so that u has norm 1; else 0. */
  readonly isUnit: Tensor;
  /** 1 where v is not 0; else 0. */
  readonly isNonzero: Tensor;
}

/**
 * Computes the direction of `v` over some axes, in tfjs operations that can be differentiated.
 *
 * The computation uses `v / max|v|`. So no square under- or overflows, and only a zero row has a norm of zero.
 */
export function direction(v: Tensor, axes: readonly number[], eps: number): Direction {
  const scale = scaleAlong(v, axes);
  const scaled = tf.div(v, scale);
  const squares = tf.sum(tf.square(scaled), [...axes], true);
  const zero = isZero(squares);
  // √ has no finite gradient at 0, so a zero row gets a norm of 1. Its direction is still 0.
  const norm = tf.sqrt(tf.add(squares, zero));
  const isNonzero = tf.sub(1, zero);
  let [divisor, isUnit] = [norm, isNonzero];
  if (eps > 0) {
    const floor = tf.div(eps, scale);
    // The gradient of tf.maximum compares, so it cannot be differentiated.
    isUnit = stopGradient(() => tf.step(tf.sub(norm, floor)));
    divisor = tf.add(tf.mul(norm, isUnit), tf.mul(floor, tf.sub(1, isUnit)));
  }
  return {
    unit: tf.div(scaled, divisor),
    productOverNorm: (x, y) => {
      // In x · (y / ‖v‖), a zero could meet infinity. So half of a small scale comes before the product and half after
      // it. The product overflows only if the result does, and underflows only if the result is small.
      const [large, root] = [tf.maximum(scale, 1), tf.sqrt(tf.minimum(scale, 1))];
      const before = boundedQuotient(tf.div(y, large), root);
      return tf.mul(tf.div(tf.div(tf.mul(x, before), divisor), root), isNonzero);
    },
    isUnit,
    isNonzero,
  };
}

/** Returns x / divisor, or the largest float32 if that overflows. The gradient is the gradient of the division. */
function boundedQuotient(x: Tensor, divisor: Tensor): Tensor {
  const quotient = tf.div(x, divisor);
  // Values that are infinite before the division stay infinite, and NaN stays NaN.
  const overflow = stopGradient(() => {
    const bounded = tf.minimum(tf.maximum(quotient, -LARGEST_FLOAT32), LARGEST_FLOAT32);
    return tf.where(tf.greater(tf.abs(x), LARGEST_FLOAT32), quotient, bounded);
  });
  return replaced(quotient, overflow);
}

/** Replaces the values of x by other numbers. The gradient goes to x. */
function replaced(x: Tensor, numbers: Tensor): Tensor {
  const op = tf.customGrad(() => ({ value: tf.clone(numbers), gradFunc: (dy) => tf.clone(dy as Tensor) }));
  return op(x);
}
