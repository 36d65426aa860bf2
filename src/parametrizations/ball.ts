import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { nextSeed, normalNumbers } from '../nn/init/random.ts';
import { type EvenFunction, evenFunction } from '../ops/norm/evenFunction.ts';
import { norm } from '../ops/norm/norm.ts';
import { tanh } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './axes/normAxes.ts';
import { scaledTo } from './norms/scaledTo.ts';
import { aboveZero } from './options.ts';
import { lengthsAlong } from './set/slices.ts';

/** Options of {@link ball}. */
export interface BallOptions {
  /** The length that every vector stays below. Default 1. */
  readonly radius?: number;
  /** The axis or axes of each vector. Default -1, the last axis. */
  readonly axis?: NormAxis;
}

/** `tanh t / t` */
const tanhRatio: EvenFunction = {
  series: [-1 / 3, -2 / 5, -17 / 42],
  limit: 0.0025,
  of: (t) => tf.div(tanh(t), t),
};

/** The distance from the rim that a vector keeps, relative to the radius. */
const RIM = 1e-6;

/** The coefficients of `artanh t = t(1 + t²/3 + t⁴/5 + …)`, to rounding for t < 0.25. */
const artanhSeries = [1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1];

/**
 * Keeps every vector along some axes shorter than a radius: `W = X · tanh(t) / t` with `t = ‖X‖ / radius`.
 *
 * It is the exponential map at the origin of the Poincaré ball with the curvature `1/radius²`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order, also at zero, where the map is the identity. It tends to 0 at the rim.
 *
 * The right inverse is `radius · artanh(‖W‖ / radius) · W / ‖W‖`. A vector that is longer than `radius · (1 − 1e-6)`
 * moves to this length, near the nearest point of the ball. In float32, an X longer than about 8 radii gives the rim.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option
 * @see Nickel and Kiela 2017, arXiv:1705.08039
 */
export class Ball extends Parametrization {
  /** The length that every vector stays below. */
  readonly radius: number;
  /** The axes of each vector, as given. */
  readonly axis: readonly number[];

  constructor(options: BallOptions = {}) {
    super();
    const { radius, axis } = this.checkedOptions(options);
    this.radius = radius;
    this.axis = [axis].flat();
  }

  override forward(X: Tensor): Tensor {
    const axes = axesOf('ball', this.axis, X);
    const q = tf.sum(tf.square(tf.div(X, this.radius)), axes, true);
    return tf.mul(X, evenFunction(q, tanhRatio));
  }

  override rightInverse(W: Tensor): Tensor {
    const { radius } = this;
    const axes = axesOf('ball', this.axis, W);
    return tf.tidy(() => {
      const t = tf.minimum(tf.div(norm(W, axes), radius), 1 - RIM);
      const q = tf.square(t);
      const series = artanhSeries
        .slice(1)
        .reduce<Tensor>((sum, c) => tf.add(tf.mul(sum, q), c), tf.fill(t.shape, artanhSeries[0]!));
      const logarithm = tf.mul(0.5, tf.log(tf.div(tf.add(1, t), tf.sub(1, t))));
      const distance = tf.where(tf.less(t, 0.25), tf.mul(t, series), logarithm);
      return tf.mul(tf.mul(distance, radius), scaledTo(1, W, axes));
    });
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Keeps every vector of a weight shorter than a radius; see {@link Ball}. Shorter vectors keep their value; others move
 * to the rim.
 *
 * @throws {@link ParametrizeError} `OPTION` for an `axis` that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * ball(embedding);                            // hyperbolic embeddings
 * ball(layer, 'weight', { radius: 2, axis: 0 });
 * ```
 * @function
 */
export const ball = defineParametrization<Ball, BallOptions>({
  name: 'ball',
  class: Ball,
  hasFixedFields: true,
  copies: 30,
  options: {
    radius: { default: 1, ...aboveZero },
    axis: { default: -1, ...normAxes },
  },
  axes: { option: 'axis' },
  make: (_, options) => new Ball(options),
  set: {
    contains: (value, { axis, radius }, tolerance) =>
      lengthsAlong(value, [axis].flat())?.every((length) => length <= radius * (1 + tolerance)) ?? false,
    sample(shape, { axis, radius }) {
      const numbers = normalNumbers(shape);
      const axes = axesOf('ball.sample', [axis].flat(), numbers);
      // Uniform in the ball: the n-th root of a uniform number is the length.
      const size = axes.reduce((product, along) => product * numbers.shape[along]!, 1);
      const kept = numbers.shape.map((length, along) => (axes.includes(along) ? 1 : length));
      const lengths = tf.pow(tf.randomUniform(kept, 0, 0.999, 'float32', nextSeed()), 1 / Math.max(size, 1));
      return tf.mul(tf.mul(scaledTo(1, numbers, axes), lengths), radius);
    },
  },
});
