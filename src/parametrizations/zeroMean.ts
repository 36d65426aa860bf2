import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normalNumbers } from '../nn/init/random.ts';
import { center } from '../ops/norm/center.ts';
import { isConstant } from '../ops/norm/isConstant.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './axes/normAxes.ts';
import { isCentered, vectorsAlong } from './set/slices.ts';

/** Options of {@link zeroMean}. */
export interface ZeroMeanOptions {
  /** The axis or axes of each mean. Default 0: for a dense kernel, the weights into each unit. */
  readonly axis?: NormAxis;
}

/**
 * Gives every vector along some axes the mean zero: `W = X − mean(X)`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: `∂L/∂X = ∂L/∂W − mean(∂L/∂W)`; of second and higher order zero, because the map is linear.
 *
 * The right inverse is the identity, or zero for a vector of equal elements. A weight with another mean loses it, and
 * so moves to the nearest weight of the set.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid `axis`
 */
export class ZeroMean extends Parametrization {
  /** The axes of each mean, as given. */
  readonly axis: readonly number[];

  constructor(options: ZeroMeanOptions = {}) {
    super();
    this.axis = [this.checkedOptions(options).axis].flat();
  }

  override forward(X: Tensor): Tensor {
    return center(X, axesOf('zeroMean', this.axis, X));
  }

  /** Returns the weight, with zeros in place of vectors of equal elements, whose mean float32 may round. */
  override rightInverse(W: Tensor): Tensor {
    const axes = axesOf('zeroMean', this.axis, W);
    return tf.tidy(() => tf.where(isConstant(W, axes), 0, W));
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Subtracts the means of a weight; see {@link ZeroMean}. A weight with mean zero keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION` for an `axis` that is invalid for the tensor; the errors of
 * {@link registerParametrization}
 * @function
 */
export const zeroMean = defineParametrization<ZeroMean, ZeroMeanOptions>({
  name: 'zeroMean',
  class: ZeroMean,
  hasFixedFields: true,
  copies: 12,
  options: { axis: { default: 0, ...normAxes } },
  axes: { option: 'axis' },
  make: (_, options) => new ZeroMean(options),
  set: {
    contains: (value, { axis }, tolerance) =>
      vectorsAlong(value, [axis].flat())?.every((vector) => isCentered(vector, tolerance)) ?? false,
    sample(shape, { axis }) {
      const numbers = normalNumbers(shape);
      return center(numbers, axesOf('zeroMean.sample', [axis].flat(), numbers));
    },
  },
});
