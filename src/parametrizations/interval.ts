import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { nextSeed } from '../nn/init/random.ts';
import { sigmoid } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { finite } from './options.ts';

/** Options of {@link interval}. */
export interface IntervalOptions {
  /** The bound that every element stays above. Default 0. */
  readonly min?: number;
  /** The bound that every element stays below. Default 1. */
  readonly max?: number;
}

/** The part of the interval between a bound and the values that elements beyond the bound move to. */
const MARGIN = 1e-3;

/**
 * Keeps every element between two bounds: `W = min + (max − min) · σ(X)`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order; `∂W/∂X = (W − min) · (max − W) / (max − min)`. It is at most `(max − min) / 4` and tends
 * to 0 at both bounds, so an element that has come close to a bound leaves it slowly.
 *
 * An element at a bound or beyond cannot be reached. The right inverse moves it to `1e-3 · (max − min)` inside of the
 * nearest bound. In float32, W may round to a bound. Use {@link positive} for one finite bound.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option
 * @see torch.distributions.transforms.SigmoidTransform
 */
export class Interval extends Parametrization {
  /** The bound that every element stays above. */
  readonly min: number;
  /** The bound that every element stays below. */
  readonly max: number;

  constructor(options: IntervalOptions = {}) {
    super();
    const { min, max } = this.checkedOptions(options);
    this.min = min;
    this.max = max;
  }

  override forward(X: Tensor): Tensor {
    const { min, max } = this;
    const above = tf.mul(sigmoid(X), max - min);
    return min === 0 ? above : tf.add(above, min);
  }

  /** Returns X of a W between the bounds: `log(W − min) − log(max − W)`. Other elements move to near their bound. */
  override rightInverse(W: Tensor): Tensor {
    const { min, max } = this;
    const margin = tf.scalar(MARGIN * (max - min));
    const rest = tf.scalar((1 - MARGIN) * (max - min));
    const [above, below] = [tf.sub(W, min), tf.sub(max, W)];
    const isLow = tf.lessEqual(above, 0);
    const isHigh = tf.lessEqual(below, 0);
    const [fromMin, fromMax] = [
      tf.where(isLow, margin, tf.where(isHigh, rest, above)),
      tf.where(isLow, rest, tf.where(isHigh, margin, below)),
    ];
    return tf.sub(tf.log(fromMin), tf.log(fromMax));
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Keeps every element of a weight between two bounds; see {@link Interval}. A weight between the bounds keeps its
 * value; other elements move to near their bound.
 *
 * @throws {@link ParametrizeError} `OPTION`; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * interval(layer, 'gate');                         // from 0 to 1
 * interval(layer, 'weight', { min: -2, max: 2 });
 * ```
 * @function
 */
export const interval = defineParametrization<Interval, IntervalOptions>({
  name: 'interval',
  class: Interval,
  hasFixedFields: true,
  copies: 14,
  options: {
    min: { default: 0, ...finite },
    max: { default: 1, ...finite },
  },
  check({ min, max }) {
    if (Math.fround(min) < Math.fround(max)) return;
    throw refusal(
      'OPTION',
      'interval',
      `min ${min} is not below max ${max} in float32`,
      'Pass a min below max.',
    );
  },
  make: (_, options) => new Interval(options),
  set: {
    contains({ data }, { min, max }, tolerance) {
      // float32 rounds an element near a bound to it.
      const accepted = tolerance * (max - min) + 2 ** -23 * Math.max(Math.abs(min), Math.abs(max));
      return data.every((value) => value >= min - accepted && value <= max + accepted);
    },
    sample(shape, { min, max }) {
      // Neither bound is drawn: no original gives it.
      const share = tf.randomUniform([...shape], 1e-6, 1 - 1e-6, 'float32', nextSeed());
      return tf.add(tf.mul(share, max - min), min);
    },
  },
});
