import type { Tensor } from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './normAxes.ts';
import { notNegative } from './options.ts';
import { withNorms } from './withNorms.ts';

/** Options of {@link minMaxNorm}: those of `tf.constraints.minMaxNorm`. */
export interface MinMaxNormOptions {
  /** The smallest norm. Default 0. */
  readonly minValue?: number;
  /** The largest norm. Default 1. */
  readonly maxValue?: number;
  /** The axis or axes that each norm runs over. Default 0: of a dense kernel, the weights into each unit. */
  readonly axis?: NormAxis;
  /**
   * The distance by which a norm outside of the limits moves: 1 (default) to the nearest limit, 0 not at all. Below 1
   * the norms come nearer to the limits and may stay outside.
   */
  readonly rate?: number;
}

/**
 * Weights of a norm within limits: `W = X · (rate · clip(‖X‖) + (1 − rate) · ‖X‖) / ‖X‖`, the norm over `axis`.
 *
 * @remarks **Shape**: X, W: S. **State**: `original` = X. No buffers. **Gradient**: that of the identity where the norm
 * is within the limits; of any order. Zeros, which have no direction, stay zeros, whatever the smallest norm; their
 * gradient is that of the identity.
 *
 * @throws {@link ParametrizeError} `OPTION` if an option makes no sense
 * @see tf.constraints.minMaxNorm
 */
export class MinMaxNorm extends Parametrization {
  /** The smallest norm. */
  readonly minValue: number;
  /** The largest norm. */
  readonly maxValue: number;
  /** The distance by which a norm outside of the limits moves. */
  readonly rate: number;
  /** The axes that each norm runs over, as given. */
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

  /** The weight itself: one within the limits is kept. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Keeps the norms of a weight within limits; see {@link MinMaxNorm}. One line takes the place of
 * `kernelConstraint: tf.constraints.minMaxNorm({ … })`, and holds while the model trains.
 *
 * @param name - the tensor; default the host's main weight
 * @returns the host
 * @throws {@link ParametrizeError} `OPTION` if an option makes no sense for the tensor; as
 * {@link registerParametrization}
 * @see tf.constraints.minMaxNorm
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
  check({ minValue, maxValue }) {
    if (minValue <= maxValue) return;
    throw refusal('OPTION', 'minMaxNorm', `minValue ${minValue} is above maxValue ${maxValue}`, 'Swap them.');
  },
  make: (_, options) => new MinMaxNorm(options),
});
