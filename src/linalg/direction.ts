import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { isZero, scaleAlong } from './norm.ts';

/** The direction of a tensor, its norm, and where they are degenerate. */
export interface Direction {
  /** `u = v / max(‖v‖, eps)`; 0 where v is. */
  readonly unit: Tensor;
  /** `1 / max(‖v‖, eps)`; finite where v is 0. */
  readonly inverseNorm: (g: Tensor) => Tensor;
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
  const floor = tf.div(eps, scale);
  const divisor = eps > 0 ? tf.maximum(norm, floor) : norm;
  return {
    unit: tf.div(scaled, divisor),
    inverseNorm: (g) => tf.div(tf.div(g, scale), divisor),
    isUnit: eps > 0 ? tf.step(tf.sub(norm, floor)) : tf.sub(1, zero),
    isNonzero: tf.sub(1, zero),
  };
}
