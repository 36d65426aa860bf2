import type { Tensor } from '@tensorflow/tfjs-core';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './normAxes.ts';
import { notNegative } from './options.ts';
import { withNorms } from './withNorms.ts';

/** Options of {@link maxNorm}: those of `tf.constraints.maxNorm`. */
export interface MaxNormOptions {
  /** The largest norm. Default 2. */
  readonly maxValue?: number;
  /** The axis or axes that each norm runs over. Default 0: of a dense kernel, the weights into each unit. */
  readonly axis?: NormAxis;
}

/**
 * Weights of at most some norm: `W = X · min(‖X‖, maxValue) / ‖X‖`, the norm over `axis`.
 *
 * @remarks **Shape**: X, W: S. **State**: `original` = X. No buffers. **Gradient**: that of the identity where the norm
 * is within the limit, also at zero; above, at right angles to X. Of any order.
 *
 * @throws {@link ParametrizeError} `OPTION` if an option makes no sense
 * @see tf.constraints.maxNorm
 */
export class MaxNorm extends Parametrization {
  /** The axes that each norm runs over, as given. */
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

  /** Makes cached values stale. */
  set maxValue(maxValue: number) {
    this.checkOption('maxValue', maxValue);
    this.limit = maxValue;
    this.invalidate();
  }

  override forward(X: Tensor): Tensor {
    return withNorms(X, axesOf('maxNorm', this.axis, X), { minValue: 0, maxValue: this.limit, rate: 1 });
  }

  /** The weight itself: one within the limit is kept. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Limits the norms of a weight; see {@link MaxNorm}. One line takes the place of
 * `kernelConstraint: tf.constraints.maxNorm({ maxValue: 2 })`, and holds while the model trains.
 *
 * @param name - the tensor; default the host's main weight
 * @returns the host
 * @throws {@link ParametrizeError} `OPTION` if an option makes no sense for the tensor; as
 * {@link registerParametrization}
 * @see tf.constraints.maxNorm
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
  make: (_, options) => new MaxNorm(options),
});
