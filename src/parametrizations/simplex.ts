import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { nextSeed } from '../nn/init/random.ts';
import { scaleAlong } from '../ops/norm/norm.ts';
import { onLastAxis } from '../ops/onLastAxis.ts';
import { softmax } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf } from './axes/normAxes.ts';
import { integer } from './options.ts';
import { vectorsAlong } from './set/slices.ts';

/** Options of {@link simplex}. */
export interface SimplexOptions {
  /** The axis along which the elements sum to 1. Default -1, the last axis. */
  readonly axis?: number;
}

/** The share of an even part that an element of at most 0 gets. */
const SHARE = 1e-3;

/**
 * Makes vectors of probabilities: `W = softmax(X)` along `axis`, so that W is positive and sums to 1.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: of any order; `∂L/∂X = W ∘ (∂L/∂W − ⟨∂L/∂W, W⟩)`. It tends to 0 where an element of W does. A constant
 * that is added to X has no effect on W.
 *
 * The right inverse is `log W` minus its mean. It divides by the sum, so a positive vector with another sum keeps its
 * proportions. An element of 0 or below becomes 1/1000 of an even part.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid `axis`
 * @see torch.distributions.transforms.SoftmaxTransform
 */
export class Simplex extends Parametrization {
  /** The axis of the sums, as given. */
  readonly axis: number;

  constructor(options: SimplexOptions = {}) {
    super();
    this.axis = this.checkedOptions(options).axis;
  }

  override forward(X: Tensor): Tensor {
    const [axis] = axesOf('simplex', [this.axis], X) as [number];
    // tfjs takes the softmax of the last axis only.
    return onLastAxis(X, axis, softmax);
  }

  /** Returns `log W − mean(log W)`. */
  override rightInverse(W: Tensor): Tensor {
    const axes = axesOf('simplex', [this.axis], W);
    const logarithm = tf.tidy(() => {
      const positive = tf.relu(W);
      const shares = tf.div(positive, scaleAlong(positive, axes));
      const sum = tf.sum(shares, axes, true);
      const least = tf.mul(tf.add(sum, tf.cast(tf.equal(sum, 0), 'float32')), SHARE / W.shape[axes[0]!]!);
      return tf.log(tf.where(tf.greater(shares, 0), shares, least));
    });
    return tf.sub(logarithm, tf.mean(logarithm, axes, true));
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Makes the vectors of a weight along an axis probabilities; see {@link Simplex}. With the last axis, a matrix becomes
 * row-stochastic. A weight of such vectors keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION` for an `axis` that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * simplex(layer, 'mixture');               // every row sums to 1
 * simplex(layer, 'weight', { axis: 0 });   // every column
 * ```
 * @function
 */
export const simplex = defineParametrization<Simplex, SimplexOptions>({
  name: 'simplex',
  class: Simplex,
  hasFixedFields: true,
  copies: 12,
  options: { axis: { default: -1, ...integer(Number.MIN_SAFE_INTEGER) } },
  axes: { option: 'axis' },
  make: (_, options) => new Simplex(options),
  set: {
    contains: (value, { axis }, tolerance) =>
      vectorsAlong(value, [axis])?.every(
        (vector) =>
          vector.every((element) => element >= -tolerance) &&
          Math.abs(vector.reduce((sum, element) => sum + element, 0) - 1) <= tolerance,
      ) ?? false,
    // The flat Dirichlet distribution: exponential numbers, divided by their sum.
    sample(shape, { axis }) {
      const uniform = tf.randomUniform([...shape], 1e-6, 1 - 1e-6, 'float32', nextSeed());
      const axes = axesOf('simplex.sample', [axis], uniform);
      const numbers = tf.neg(tf.log(uniform));
      return tf.div(numbers, tf.sum(numbers, axes, true));
    },
  },
});
