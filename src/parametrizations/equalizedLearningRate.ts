import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { type KeptAxes, keptAxes, listOf, optionOf, reducedAxes, sizeAlong } from './axes/keptAxes.ts';
import { aboveZero } from './options.ts';
import { vectorsBut } from './set/slices.ts';

/** Options of {@link equalizedLearningRate}. */
export interface EqualizedLearningRateOptions {
  /**
   * The axis or axes of the outputs; null or `[]` if there is one output. A negative axis counts from the end. Default
   * 0; on layers of tf.layers, the axes that number the outputs.
   */
  readonly dim?: KeptAxes;
  /** The gain of the activation, such as √2 for ReLU. Default 1. */
  readonly gain?: number;
  /** The factor of the learning rate of the layer, such as 0.01 for a mapping network. Default 1. */
  readonly multiplier?: number;
}

/**
 * Scales a weight by a constant, so that the steps of an optimizer are in proportion to it (equalized learning rate).
 *
 * `W = V · gain · multiplier / √n`, where n is the number of inputs of an output: the number of elements for each index
 * of `dim`.
 *
 * @remarks
 * **Shape**: V, W: S.
 * **State**: `original` = V. No buffers.
 * **Gradient**: the constant; of second and higher order zero, because the map is linear.
 *
 * The value of the weight does not change, and any value is reached. A step of Adam, whose length does not depend on
 * the gradient, moves W in proportion to the constant. A step of gradient descent moves W in proportion to its square.
 * For the initialization of StyleGAN, give V normal numbers with the deviation `1 / multiplier`.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid option
 * @see Karras et al. 2018, arXiv:1710.10196
 */
export class EqualizedLearningRate extends Parametrization {
  /** The axes of the outputs, as given. */
  readonly dim: readonly number[];
  /** The gain of the activation. */
  readonly gain: number;
  /** The factor of the learning rate. */
  readonly multiplier: number;

  constructor(options: EqualizedLearningRateOptions = {}) {
    super();
    const { dim, gain, multiplier } = this.checkedOptions(options);
    this.dim = listOf(dim);
    this.gain = gain;
    this.multiplier = multiplier;
  }

  override forward(V: Tensor): Tensor {
    return tf.mul(V, this.factorOf(V));
  }

  /** Returns W divided by the constant. */
  override rightInverse(W: Tensor): Tensor {
    return tf.div(W, this.factorOf(W));
  }

  override isPure(): boolean {
    return true;
  }

  private factorOf(x: Tensor): number {
    return (this.gain * this.multiplier) / Math.sqrt(fanInOf('equalizedLearningRate', this.dim, x));
  }
}

/** Returns the number of inputs of an output. */
const fanInOf = (caller: string, dim: readonly number[], x: Tensor): number =>
  Math.max(1, sizeAlong(x, reducedAxes(caller, dim, x)));

/**
 * Scales a weight by `gain · multiplier / √fanIn`; see {@link EqualizedLearningRate}. The weight keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION` for a `dim` that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * equalizedLearningRate(conv, { gain: Math.SQRT2 });
 * equalizedLearningRate(dense, { multiplier: 0.01 });
 * ```
 * @function
 */
export const equalizedLearningRate = defineParametrization<
  EqualizedLearningRate,
  EqualizedLearningRateOptions
>({
  name: 'equalizedLearningRate',
  class: EqualizedLearningRate,
  hasFixedFields: true,
  copies: 10,
  options: {
    dim: keptAxes,
    gain: { default: 1, isQuiet: true, ...aboveZero },
    multiplier: { default: 1, isQuiet: true, ...aboveZero },
  },
  axes: { option: 'dim' },
  make: ({ outputAxes }, options) => new EqualizedLearningRate({ dim: outputAxes ?? 0, ...options }),
  config: ({ dim, gain, multiplier }) => ({ dim: optionOf(dim), gain, multiplier }),
  set: {
    contains: (value, { dim }) => vectorsBut(value, listOf(dim)) !== null,
    sample(shape, { dim, gain, multiplier }) {
      const numbers = normalNumbers(shape);
      const fanIn = fanInOf('equalizedLearningRate.sample', listOf(dim), numbers);
      return tf.mul(numbers, (gain * multiplier) / Math.sqrt(fanIn));
    },
  },
});
