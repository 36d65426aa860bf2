import type { Tensor } from '@tensorflow/tfjs-core';

import { normalNumbers } from '../nn/init/random.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './axes/normAxes.ts';
import { scaledTo } from './norms/scaledTo.ts';
import { lengthsAlong } from './set/slices.ts';

/** Options of {@link unitNorm}. They are the options of `tf.constraints.unitNorm`. */
export interface UnitNormOptions {
  /** The axis or axes of each norm. Default 0: for a dense kernel, the weights into each unit. */
  readonly axis?: NormAxis;
}

/**
 * Gives a weight norm one: `W = X / ‖X‖`, with the norm over `axis`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: to X and orthogonal to X, of any order. Where X is zero, W and the gradient are zero.
 *
 * `tf.constraints.unitNorm` divides by the norm plus 1e-7, and tfjs applies it on assignment only, never in `fit`.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid `axis`
 * @see tf.constraints.unitNorm
 */
export class UnitNorm extends Parametrization {
  /** The axes of each norm, as given. */
  readonly axis: readonly number[];

  constructor(options: UnitNormOptions = {}) {
    super();
    this.axis = [this.checkedOptions(options).axis].flat();
  }

  override forward(X: Tensor): Tensor {
    return scaledTo(1, X, axesOf('unitNorm', this.axis, X));
  }

  /** Returns the weight. A weight of norm one keeps its value; any other is divided by its norm on reads. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Divides a weight by its norms; see {@link UnitNorm}. It replaces `kernelConstraint: tf.constraints.unitNorm()` and
 * holds while the model trains.
 *
 * @throws {@link ParametrizeError} `OPTION` for an `axis` that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * unitNorm(dense);                              // every column of the kernel
 * unitNorm(conv, 'kernel', { axis: [0, 1, 2] }); // every filter
 * ```
 * @see tf.constraints.unitNorm
 * @function
 */
export const unitNorm = defineParametrization<UnitNorm, UnitNormOptions>({
  name: 'unitNorm',
  class: UnitNorm,
  hasFixedFields: true,
  copies: 10,
  options: { axis: { default: 0, ...normAxes } },
  axes: { option: 'axis' },
  make: (_, options) => new UnitNorm(options),
  set: {
    contains: (value, { axis }, tolerance) =>
      lengthsAlong(value, [axis].flat())?.every((length) => Math.abs(length - 1) <= tolerance) ?? false,
    sample(shape, { axis }) {
      const numbers = normalNumbers(shape);
      const axes = axesOf('unitNorm.sample', [axis].flat(), numbers);
      return scaledTo(1, numbers, axes);
    },
  },
});
