import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { exp, softplus, softplusInverse } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { finite, oneOf } from './options.ts';

/** The map from any number to a positive one. */
export type PositiveMap = 'softplus' | 'exp';

/** Options of {@link positive}. */
export interface PositiveOptions {
  /**
   * The map. The slope of `'softplus'` is at most 1, so it suits most weights. `'exp'` suits scales: a step of X
   * multiplies W. Default `'softplus'`.
   */
  readonly map?: PositiveMap;
  /** The bound that every element stays above. Default 0. */
  readonly min?: number;
}

/** The functions of each map: the map and its inverse for positive numbers. */
const maps: Readonly<
  Record<PositiveMap, readonly [forward: (x: Tensor) => Tensor, inverse: (y: Tensor) => Tensor]>
> = {
  softplus: [softplus, softplusInverse],
  exp: [exp, tf.log],
};

/**
 * Keeps every element above a bound: `W = min + softplus(X)` or `W = min + eˣ`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order; `∂W/∂X = σ(X)`, or eˣ. Both tend to 0 where W tends to the bound.
 *
 * An element at the bound or below cannot be reached. The right inverse moves it to
 * `min + max(1e-3 · mean|W − min|, 1e-6)`: near the bound, and far enough to train. In float32, W may round to `min`.
 * Use {@link nonNeg} for weights that may be 0.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option
 * @see torch.distributions.transforms.ExpTransform, SoftplusTransform
 */
export class Positive extends Parametrization {
  /** The map. */
  readonly map: PositiveMap;
  /** The bound that every element stays above. */
  readonly min: number;

  constructor(options: PositiveOptions = {}) {
    super();
    const { map, min } = this.checkedOptions(options);
    this.map = map;
    this.min = min;
  }

  override forward(X: Tensor): Tensor {
    const [forward] = maps[this.map];
    return this.min === 0 ? forward(X) : tf.add(forward(X), this.min);
  }

  /** Returns X of a W above the bound. Other elements are moved to near the bound. */
  override rightInverse(W: Tensor): Tensor {
    return tf.tidy(() => {
      const above = tf.sub(W, this.min);
      const nearest = tf.maximum(tf.mul(1e-3, tf.mean(tf.abs(above))), 1e-6);
      const [, inverse] = maps[this.map];
      return inverse(tf.where(tf.greater(above, 0), above, tf.mul(tf.onesLike(above), nearest)));
    });
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Keeps every element of a weight above a bound; see {@link Positive}. A weight above the bound keeps its value; other
 * elements move to near the bound.
 *
 * @throws {@link ParametrizeError} `OPTION`; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * positive(layer, 'scale', { map: 'exp' });
 * ```
 * @function
 */
export const positive = defineParametrization<Positive, PositiveOptions>({
  name: 'positive',
  class: Positive,
  hasFixedFields: true,
  copies: 28,
  options: {
    map: { default: 'softplus', ...oneOf(['softplus', 'exp']) },
    min: { default: 0, isQuiet: true, ...finite },
  },
  make: (_, options) => new Positive(options),
  set: {
    // float32 rounds numbers far below the unit of the bound to it.
    contains: ({ data }, { min }, tolerance) =>
      data.every((value) => value >= min - tolerance * Math.abs(min)),
    sample(shape, { map, min }) {
      const [forward] = maps[map];
      return tf.add(forward(normalNumbers(shape)), min);
    },
  },
});
