import type { Tensor } from '@tensorflow/tfjs-core';
import { checkNotNegative, checkOptions } from '../core/checkOptions.ts';
import { ParametrizeError } from '../core/errors.ts';
import { fixFields } from '../parametrize/fieldSet.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { type CatalogFunction, catalogFunction } from './catalogFunction.ts';
import { axesOf, axesText, type NormAxis, normAxes } from './normAxes.ts';
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
   * How far a norm outside is moved: 1 (default) to the nearest limit, 0 not at all. Below 1 the norms come nearer to the
   * limits and need not be within.
   */
  readonly rate?: number;
}

/**
 * Weights of a norm within limits: `W = X · (rate · clip(‖X‖) + (1 − rate) · ‖X‖) / ‖X‖`, the norm over `axis`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: that of the identity where the norm is within the limits; of any order. Zeros, which have no direction, stay
 * zeros, whatever the smallest norm; their gradient is that of the identity.
 *
 * @throws {@link ParametrizeError} `OPTION` if an option makes no sense
 * @see tf.constraints.minMaxNorm
 */
export class MinMaxNorm extends Parametrization {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'MinMaxNorm';

  /** The smallest norm. */
  readonly minValue: number;
  /** The largest norm. */
  readonly maxValue: number;
  /** How far a norm outside is moved. */
  readonly rate: number;
  /** The axes that each norm runs over, as given. */
  readonly axis: readonly number[];

  constructor(options: MinMaxNormOptions = {}) {
    super();
    checkOptions('minMaxNorm', options, ['minValue', 'maxValue', 'axis', 'rate']);
    const { minValue = 0, maxValue = 1, axis = 0, rate = 1 } = options;
    checkNotNegative('minMaxNorm', 'minValue', minValue);
    checkNotNegative('minMaxNorm', 'maxValue', maxValue);
    checkNotNegative('minMaxNorm', 'rate', rate);
    if (minValue > maxValue) {
      throw new ParametrizeError(
        'OPTION',
        `minMaxNorm: minValue ${minValue} is above maxValue ${maxValue}. Swap them.`,
      );
    }
    if (rate > 1) {
      throw new ParametrizeError('OPTION', `minMaxNorm: rate is ${rate}, it must be a number from 0 to 1.`);
    }
    this.minValue = minValue;
    this.maxValue = maxValue;
    this.rate = rate;
    this.axis = normAxes('minMaxNorm', axis);
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

  override extraRepr(): string {
    const { minValue, maxValue, rate, axis } = this;
    return `minValue=${minValue}, maxValue=${maxValue}, rate=${rate}, axis=${axesText(axis)}`;
  }
}

fixFields(MinMaxNorm);

/**
 * Keeps the norms of a weight within limits; see {@link MinMaxNorm}. One line takes the place of
 * `kernelConstraint: tf.constraints.minMaxNorm({ … })`, and holds while the model trains.
 *
 * @param name - the tensor; default the host's main weight
 * @returns the host
 * @throws {@link ParametrizeError} `OPTION` if an option makes no sense for the tensor; as {@link registerParametrization}
 * @see tf.constraints.minMaxNorm
 */
export const minMaxNorm: CatalogFunction<MinMaxNormOptions> = catalogFunction<MinMaxNormOptions>({
  name: 'minMaxNorm',
  options: ['minValue', 'maxValue', 'axis', 'rate'],
  check: (options) => void new MinMaxNorm(options),
  make: (_, options) => new MinMaxNorm(options),
});
