import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { largest } from './set/slices.ts';

/**
 * Makes a weight non-negative: `W = |X|`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order, times the sign of X, which counts as −1 at zero. With `relu(X)`, an element with a
 * negative original would never train again.
 *
 * @see tf.constraints.nonNeg
 */
export class NonNeg extends Parametrization {
  override forward(X: Tensor): Tensor {
    return tf.abs(X);
  }

  /** Returns `max(W, 0)`, as the constraint does: negative elements become zero. */
  override rightInverse(W: Tensor): Tensor {
    return tf.relu(W);
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Makes a weight non-negative; see {@link NonNeg}. It replaces `kernelConstraint: tf.constraints.nonNeg()` and holds
 * while the model trains.
 *
 * @throws {@link ParametrizeError} the errors of {@link registerParametrization}
 * @see tf.constraints.nonNeg
 * @function
 */
export const nonNeg = defineParametrization<NonNeg>({
  name: 'nonNeg',
  class: NonNeg,
  hasFixedFields: true,
  copies: 10.6,
  options: {},
  make: () => new NonNeg(),
  set: {
    contains({ data }, _, tolerance) {
      const least = -tolerance * largest(data);
      return data.every((value) => value >= least);
    },
    sample: (shape) => tf.abs(normalNumbers(shape)),
  },
});
