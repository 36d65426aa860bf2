import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { normOp, weightNormOp } from '../kernels/index.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { center } from '../ops/norm/center.ts';
import { isConstant } from '../ops/norm/isConstant.ts';
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
} from './axes/keptAxes.ts';
import { isCentered, vectorsBut } from './set/slices.ts';

/** Options of {@link centeredWeightNorm}. */
export interface CenteredWeightNormOptions {
  /**
   * The axis or axes with separate norms and means; null or `[]` for the norm of the whole tensor. A negative axis
   * counts from the end. Default 0; on layers of tf.layers, the axes that number the outputs.
   */
  readonly dim?: KeptAxes;
}

/**
 * Separates the length of a weight from its direction, which has the mean zero (centered weight normalization).
 *
 * `W = g · c / ‖c‖` with `c = v − mean(v)`, the norm and the mean over every axis but `dim`.
 *
 * @remarks
 * **Shape**: v, W: S. g: S with every axis but `dim` set to 1; a scalar for `dim: null`.
 * **State**: `original0` = g (alias `g`), `original1` = v (alias `v`), both trainable. No buffers.
 * **Gradient**: that of weight norm, minus its mean; of any order. Where v is constant, W and the gradients are zero.
 *
 * The right inverse is `g = ‖W − mean(W)‖` and `v = W`. A weight with another mean than zero loses it, and so moves to
 * the nearest weight of the set. A slice of equal elements has no direction without its mean: it becomes zero, with
 * g = 0 and random numbers as v, which follow `nn.manualSeed`, so that it trains.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid `dim`; `SHAPE` if a slice has fewer than two elements
 * @see Huang et al. 2017, Centered weight normalization in accelerating training of deep neural networks
 */
export class CenteredWeightNorm extends Parametrization {
  /** The axes with separate norms, as given. */
  readonly dim: readonly number[];

  constructor(options: CenteredWeightNormOptions = {}) {
    super();
    this.dim = listOf(this.checkedOptions(options).dim);
  }

  override forward(g: Tensor, v: Tensor): Tensor {
    const axes = centeredAxes('centeredWeightNorm', this.dim, v);
    checkNorms('centeredWeightNorm', g, v, axes);
    return weightNormOp(g, center(v, axes), axes, 0);
  }

  /** Returns `g = ‖W − mean(W)‖` and `v = W`; for a constant slice g = 0, with random numbers as v. */
  override rightInverse(W: Tensor): [Tensor, Tensor] {
    const axes = centeredAxes('centeredWeightNorm', this.dim, W);
    const isZero = isConstant(W, axes);
    const g = tf.where(isZero, 0, normOp(center(W, axes), axes));
    const v = tf.where(isZero, normalNumbers(W.shape), W);
    return [scalarIf(this.dim.length === 0, g), v];
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Normalizes a weight of a module by its centered direction; see {@link CenteredWeightNorm}. The weight keeps its value
 * but for the means of its slices.
 *
 * @throws {@link ParametrizeError} `OPTION`, `SHAPE` if a slice has fewer than two elements; the errors of
 * {@link registerParametrization}
 * @example
 * ```ts
 * centeredWeightNorm(conv);
 * parametrizationsOn(conv, 'weight').g;   // the lengths
 * ```
 * @function
 */
export const centeredWeightNorm = defineParametrization<CenteredWeightNorm, CenteredWeightNormOptions>({
  name: 'centeredWeightNorm',
  class: CenteredWeightNorm,
  hasFixedFields: true,
  copies: 16,
  options: { dim: keptAxes },
  originals: { g: {}, v: {} },
  axes: { option: 'dim' },
  make: ({ outputAxes }, options) => new CenteredWeightNorm({ dim: outputAxes ?? 0, ...options }),
  config: ({ dim }) => ({ dim: optionOf(dim) }),
  set: {
    contains: (value, { dim }, tolerance) =>
      value.data.length > 0 &&
      (vectorsBut(value, listOf(dim))?.every(
        (vector) => vector.length > 1 && isCentered(vector, tolerance),
      ) ??
        false),
    sample(shape, { dim }) {
      const numbers = normalNumbers(shape);
      const axes = centeredAxes('centeredWeightNorm.sample', listOf(dim), numbers);
      return center(numbers, axes);
    },
  },
});
