import type { Tensor } from '@tensorflow/tfjs-core';

import { normalNumbers } from '../nn/init/random.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './axes/normAxes.ts';
import { withNorms, withUniformNorms } from './norms/withNorms.ts';
import { notNegative } from './options.ts';
import { lengthsAlong } from './set/slices.ts';

/** Options of {@link maxNorm}. They are the options of `tf.constraints.maxNorm`. */
export interface MaxNormOptions {
  /** The largest norm. Default 2. */
  readonly maxValue?: number;
  /** The axis or axes of each norm. Default 0: for a dense kernel, the weights into each unit. */
  readonly axis?: NormAxis;
}

/**
 * Limits the norms of a weight: `W = X · min(‖X‖, maxValue) / ‖X‖`, with the norm over `axis`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order. It is the gradient of the identity where the norm is within the limit, also at zero;
 * above the limit it is orthogonal to X.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option
 * @see tf.constraints.maxNorm
 */
export class MaxNorm extends Parametrization {
  /** The axes of each norm, as given. */
  readonly axis: readonly number[];
  private limit: number;

  constructor(options: MaxNormOptions = {}) {
    super();
    const { maxValue, axis } = this.checkedOptions(options);
    this.limit = maxValue;
    this.axis = [axis].flat();
  }

  /** The largest norm. */
  get maxValue(): number {
    return this.limit;
  }

  /** Sets the largest norm. Cached values become stale. */
  set maxValue(maxValue: number) {
    this.checkOption('maxValue', maxValue);
    this.limit = maxValue;
    this.invalidate();
  }

  override forward(X: Tensor): Tensor {
    return withNorms(X, axesOf('maxNorm', this.axis, X), { minValue: 0, maxValue: this.limit, rate: 1 });
  }

  /** Returns the weight. A weight within the limit keeps its value. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Limits the norms of a weight; see {@link MaxNorm}. It replaces
 * `kernelConstraint: tf.constraints.maxNorm({ maxValue: 2 })` and holds while the model trains.
 *
 * @throws {@link ParametrizeError} `OPTION` for an option that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @see tf.constraints.maxNorm
 * @function
 */
export const maxNorm = defineParametrization<MaxNorm, MaxNormOptions>({
  name: 'maxNorm',
  class: MaxNorm,
  hasFixedFields: true,
  copies: 16,
  options: {
    maxValue: { default: 2, ...notNegative },
    axis: { default: 0, ...normAxes },
  },
  axes: { option: 'axis' },
  make: (_, options) => new MaxNorm(options),
  set: {
    contains: (value, { axis, maxValue }, tolerance) =>
      lengthsAlong(value, [axis].flat())?.every((length) => length <= maxValue * (1 + tolerance)) ?? false,
    sample(shape, { axis, maxValue }) {
      const numbers = normalNumbers(shape);
      const axes = axesOf('maxNorm.sample', [axis].flat(), numbers);
      return withUniformNorms(numbers, axes, [0, maxValue]);
    },
  },
});
