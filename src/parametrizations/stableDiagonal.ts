import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { nextSeed } from '../nn/init/random.ts';
import { exp } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';

/** The distance that values keep from 0 and 1, so that they train. */
const MARGIN = 1e-6;

/**
 * Keeps every element between 0 and 1, for the diagonal of a stable recurrence: `W = exp(−eˣ)`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order; `∂W/∂X = −W · eˣ`, which is at most 1/e and tends to 0 at both ends.
 *
 * The right inverse is `log(−log W)`, with W limited to `1e-6 … 1 − 1e-6`. In float32, W is 1 for an X below −17.3, and
 * 0 for an X above 4.7.
 *
 * @see Orvieto et al. 2023, arXiv:2303.06349
 */
export class StableDiagonal extends Parametrization {
  override forward(X: Tensor): Tensor {
    return exp(tf.neg(exp(X)));
  }

  /** Returns `log(−log W)`, with W limited to `1e-6 … 1 − 1e-6`. */
  override rightInverse(W: Tensor): Tensor {
    return tf.tidy(() => tf.log(tf.neg(tf.log(tf.clipByValue(tf.cast(W, 'float32'), MARGIN, 1 - MARGIN)))));
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Keeps every element of a weight between 0 and 1; see {@link StableDiagonal}. An element between 1e-6 and 1 − 1e-6
 * keeps its value; others move to the nearest of these bounds.
 *
 * @throws {@link ParametrizeError} the errors of {@link registerParametrization}
 * @example
 * ```ts
 * stableDiagonal(recurrence, 'decay');
 * ```
 * @function
 */
export const stableDiagonal = defineParametrization<StableDiagonal>({
  name: 'stableDiagonal',
  class: StableDiagonal,
  hasFixedFields: true,
  copies: 14,
  options: {},
  make: () => new StableDiagonal(),
  set: {
    contains: ({ data }, _, tolerance) =>
      data.every((value) => value >= -tolerance && value <= 1 + tolerance),
    sample: (shape) => tf.randomUniform([...shape], 1e-4, 1 - 1e-4, 'float32', nextSeed()),
  },
});
