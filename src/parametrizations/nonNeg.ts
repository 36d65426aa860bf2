import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';

/**
 * Weights that are not negative: `W = |X|`.
 *
 * @remarks **Shape**: X, W: S. **State**: `original` = X. No buffers. **Gradient**: with the sign of X, at zero with
 * −1; of any order. With `relu(X)` an element would never train again once its original is negative.
 *
 * @see tf.constraints.nonNeg
 */
export class NonNeg extends Parametrization {
  override forward(X: Tensor): Tensor {
    return tf.abs(X);
  }

  /** `max(W, 0)`, as the constraint has it: negative elements become zero. */
  override rightInverse(W: Tensor): Tensor {
    return tf.relu(W);
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Makes a weight not negative; see {@link NonNeg}. One line takes the place of
 * `kernelConstraint: tf.constraints.nonNeg()`, and holds while the model trains.
 *
 * @param name - the tensor; default the host's main weight
 * @returns the host
 * @throws {@link ParametrizeError} as {@link registerParametrization}
 * @see tf.constraints.nonNeg
 */
export const nonNeg = defineParametrization<NonNeg>({
  name: 'nonNeg',
  class: NonNeg,
  hasFixedFields: true,
  copies: 10,
  options: {},
  make: () => new NonNeg(),
});
