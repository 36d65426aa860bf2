import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { isConstant } from '../ops/norm/isConstant.ts';
import { scaleAlong } from '../ops/norm/norm.ts';
import { moments, standardize } from '../ops/norm/standardize.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import {
  centeredAxes,
  checkNorms,
  type KeptAxes,
  keptAxes,
  listOf,
  optionOf,
  scalarIf,
  sizeAlong,
} from './axes/keptAxes.ts';
import { boolean, notNegative } from './options.ts';
import { isCentered, momentsOf, vectorsBut } from './set/slices.ts';

/** Options of {@link weightStandardization}. */
export interface WeightStandardizationOptions {
  /**
   * The axis or axes with separate moments; null or `[]` for the moments of the whole tensor. A negative axis counts
   * from the end. Default 0; on layers of tf.layers, the axes that number the outputs.
   */
  readonly dim?: KeptAxes;
  /** The number that is added to the variance. Default 1e-6. */
  readonly eps?: number;
  /** If true, every slice has a standard deviation of its own, which is trained. Default false. */
  readonly gain?: boolean;
  /** If true, the weight is divided by √n, where n is the number of elements of a slice. Default false. */
  readonly fanIn?: boolean;
}

/**
 * Gives the slices of a weight the mean 0 and the variance 1 (weight standardization).
 *
 * `W = (V − μ) / √(σ² + eps)`, with μ and σ² over every axis but `dim`; σ² is divided by the number n of elements. With
 * `fanIn`, `W = (V − μ) / √(n(σ² + eps))`. With `gain`, this is multiplied by g.
 *
 * @remarks
 * **Shape**: V, W: S. g: S with every axis but `dim` set to 1; a scalar for `dim: null`.
 * **State**: `original` = V; with `gain` `original0` = g (alias `g`) and `original1` = V (alias `v`). No buffers.
 * **Gradient**: of any order; to V it is at most `1/√eps` times that to W, which it reaches where V is constant. It is
 * orthogonal to V, so steps make V longer.
 *
 * The right inverse returns the weight as V. Then the weight is replaced by its standardization, or with `gain` it
 * keeps everything but its mean, as `g = √(σ² + eps)`. Without `gain`, a slice whose standard deviation is not between
 * `1e-3` and `1e6`, or is below 1/100 of the largest element, is standardized at once, so that eps has no effect on it.
 * A constant slice becomes random numbers, which follow `nn.manualSeed`. With `gain` it becomes zero, with g = 0 and
 * random numbers as V, so that it trains.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option; `SHAPE` if a slice has fewer than two elements
 * @see Qiao et al. 2019, arXiv:1903.10520. With `gain` and `fanIn`: Brock et al. 2021, arXiv:2101.08692
 */
export class WeightStandardization extends Parametrization {
  /** The axes with separate moments, as given. */
  readonly dim: readonly number[];
  /** The number that is added to the variance. */
  readonly eps: number;
  /** True if every slice has a trained standard deviation. */
  readonly gain: boolean;
  /** True if the weight is divided by √n. */
  readonly fanIn: boolean;
  override readonly originalNames: readonly string[];

  constructor(options: WeightStandardizationOptions = {}) {
    super();
    const { dim, eps, gain, fanIn } = this.checkedOptions(options);
    this.dim = listOf(dim);
    this.eps = eps;
    this.gain = gain;
    this.fanIn = fanIn;
    this.originalNames = gain ? ['g', 'v'] : [];
  }

  override forward(...originals: Tensor[]): Tensor {
    const V = originals.at(-1)!;
    const axes = centeredAxes('weightStandardization', this.dim, V);
    const standardized = standardize(V, axes, this.eps);
    const g = this.gain ? originals[0]! : null;
    if (g !== null) checkNorms('weightStandardization', g, V, axes);
    const scaled = g === null ? standardized : tf.mul(g, standardized);
    return this.fanIn ? tf.div(scaled, Math.sqrt(sizeAlong(V, axes))) : scaled;
  }

  override rightInverse(W: Tensor): Tensor | Tensor[] {
    const axes = centeredAxes('weightStandardization', this.dim, W);
    if (!this.gain) return tf.tidy(() => trainable(W, axes));
    const g = tf.tidy(() => {
      const std = tf.sqrt(tf.add(moments(W, axes).variance, this.eps));
      return this.fanIn ? tf.mul(std, Math.sqrt(sizeAlong(W, axes))) : std;
    });
    // A constant slice is zero without its mean. With random numbers as V, its g has a gradient.
    const isZero = isConstant(W, axes);
    const V = tf.where(isZero, normalNumbers(W.shape), W);
    return [scalarIf(this.dim.length === 0, tf.where(isZero, 0, g)), V];
  }

  override isPure(): boolean {
    return true;
  }
}

/** Returns W, with the slices standardized whose variance would be lost in eps or in rounding. */
function trainable(W: Tensor, axes: readonly number[]): Tensor {
  const scale = scaleAlong(W, axes);
  const { mean, variance } = moments(tf.div(W, scale), axes);
  // Relative to the largest element.
  const std = tf.sqrt(variance);
  const isFlat = isConstant(W, axes);
  const centered = tf.div(tf.sub(tf.div(W, scale), mean), tf.where(isFlat, 1, std));
  const size = tf.mul(std, scale);
  const isSafe = tf.logicalAnd(
    tf.greater(std, 1e-2),
    tf.logicalAnd(tf.greater(size, 1e-3), tf.less(size, 1e6)),
  );
  const random = standardize(normalNumbers(W.shape), axes, 0);
  return tf.where(isFlat, random, tf.where(isSafe, W, centered));
}

/**
 * Standardizes the slices of a weight; see {@link WeightStandardization}. With `gain`, the weight keeps its value but
 * for the means of its slices.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if a slice has fewer than two elements; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * weightStandardization(conv);                                // every filter has mean 0 and variance 1
 * weightStandardization(conv, { gain: true, fanIn: true });   // scaled weight standardization
 * ```
 * @function
 */
export const weightStandardization = defineParametrization<
  WeightStandardization,
  WeightStandardizationOptions
>({
  name: 'weightStandardization',
  class: WeightStandardization,
  hasFixedFields: true,
  copies: 16,
  options: {
    dim: keptAxes,
    eps: { default: 1e-6, isQuiet: true, ...notNegative },
    gain: { default: false, isQuiet: true, ...boolean },
    fanIn: { default: false, isQuiet: true, ...boolean },
  },
  axes: { option: 'dim' },
  make: ({ outputAxes }, options) => new WeightStandardization({ dim: outputAxes ?? 0, ...options }),
  config: ({ dim, eps, gain, fanIn }) => ({ dim: optionOf(dim), eps, gain, fanIn }),
  set: {
    contains: (value, { dim, eps, gain, fanIn }, tolerance) =>
      vectorsBut(value, listOf(dim))?.every((vector) => {
        if (vector.length < 2 || !isCentered(vector, tolerance)) return false;
        const variance = momentsOf(vector).variance * (fanIn ? vector.length : 1);
        // The variance is σ²/(σ² + eps).
        return gain || (variance <= 1 + 1e-2 && variance >= 1 - Math.max(1e-2, 10 * eps));
      }) ?? false,
    sample(shape, { dim, fanIn }) {
      const numbers = normalNumbers(shape);
      const axes = centeredAxes('weightStandardization.sample', listOf(dim), numbers);
      const standardized = standardize(numbers, axes, 0);
      return fanIn ? tf.div(standardized, Math.sqrt(sizeAlong(numbers, axes))) : standardized;
    },
  },
});
