import type { Tensor } from '@tensorflow/tfjs-core';

import { refusal } from '../core/errors.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './axes/normAxes.ts';
import { withNorms, withUniformNorms } from './norms/withNorms.ts';
import { notNegative } from './options.ts';
import { lengthsAlong } from './set/slices.ts';

/** Options of {@link minMaxNorm}. They are the options of `tf.constraints.minMaxNorm`. */
export interface MinMaxNormOptions {
  /** The smallest norm. Default 0. */
  readonly minValue?: number;
  /** The largest norm. Default 1. */
  readonly maxValue?: number;
  /** The axis or axes of each norm. Default 0: for a dense kernel, the weights into each unit. */
  readonly axis?: NormAxis;
  /**
   * The fraction of the distance to the nearest limit by which a norm outside of the limits moves. Default 1. Below 1,
   * norms come closer to the limits and may stay outside.
   */
  readonly rate?: number;
}

/**
 * Keeps the norms of a weight within limits: `W = X · (rate · clip(‖X‖) + (1 − rate) · ‖X‖) / ‖X‖`, with the norm over
 * `axis`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order. It is the gradient of the identity where the norm is within the limits. Zeros have no
 * direction, so they stay zeros for any `minValue`, with the gradient of the identity.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option
 * @see tf.constraints.minMaxNorm
 */
export class MinMaxNorm extends Parametrization {
  /** The smallest norm. */
  readonly minValue: number;
  /** The largest norm. */
  readonly maxValue: number;
  /** The fraction of the distance by which a norm outside of the limits moves. */
  readonly rate: number;
  /** The axes of each norm, as given. */
  readonly axis: readonly number[];

  constructor(options: MinMaxNormOptions = {}) {
    super();
    const { minValue, maxValue, rate, axis } = this.checkedOptions(options);
    this.minValue = minValue;
    this.maxValue = maxValue;
    this.rate = rate;
    this.axis = [axis].flat();
  }

  override forward(X: Tensor): Tensor {
    return withNorms(X, axesOf('minMaxNorm', this.axis, X), this);
  }

  /** Returns the weight. A weight within the limits keeps its value. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Keeps the norms of a weight within limits; see {@link MinMaxNorm}. It replaces
 * `kernelConstraint: tf.constraints.minMaxNorm({ … })` and holds while the model trains.
 *
 * @throws {@link ParametrizeError} `OPTION` for an option that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @see tf.constraints.minMaxNorm
 * @function
 */
export const minMaxNorm = defineParametrization<MinMaxNorm, MinMaxNormOptions>({
  name: 'minMaxNorm',
  class: MinMaxNorm,
  hasFixedFields: true,
  copies: 16,
  options: {
    minValue: { default: 0, ...notNegative },
    maxValue: { default: 1, ...notNegative },
    rate: { default: 1, expected: 'a number from 0 to 1', accepts: (rate) => rate >= 0 && rate <= 1 },
    axis: { default: 0, ...normAxes },
  },
  axes: { option: 'axis' },
  check({ minValue, maxValue }) {
    if (minValue <= maxValue) return;
    throw refusal('OPTION', 'minMaxNorm', `minValue ${minValue} is above maxValue ${maxValue}`, 'Swap them.');
  },
  make: (_, options) => new MinMaxNorm(options),
  set: {
    contains: (value, { axis, minValue, maxValue }, tolerance) =>
      lengthsAlong(value, [axis].flat())?.every(
        (length) => length >= minValue * (1 - tolerance) && length <= maxValue * (1 + tolerance),
      ) ?? false,
    sample(shape, { axis, minValue, maxValue }) {
      const numbers = normalNumbers(shape);
      const axes = axesOf('minMaxNorm.sample', [axis].flat(), numbers);
      return withUniformNorms(numbers, axes, [minValue, maxValue]);
    },
  },
});
