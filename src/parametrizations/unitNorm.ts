import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { weightNormOp } from '../kernels/index.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { axesOf, type NormAxis, normAxes } from './normAxes.ts';

/** Options of {@link unitNorm}: those of `tf.constraints.unitNorm`. */
export interface UnitNormOptions {
  /** The axis or axes that each norm runs over. Default 0: of a dense kernel, the weights into each unit. */
  readonly axis?: NormAxis;
}

/**
 * Weights of norm one: `W = X / ‖X‖`, the norm over `axis`.
 *
 * @remarks
 * **Shape**: X, W: S.
 * **State**: `original` = X. No buffers.
 * **Gradient**: to X, at right angles to it; of any order. Where X is zero, W and the gradient are zero.
 *
 * `tf.constraints.unitNorm` divides by the norm plus 1e-7, and tfjs applies it on assignment only, never in `fit`.
 *
 * @throws {@link ParametrizeError} `OPTION` if `axis` makes no sense
 * @see tf.constraints.unitNorm
 */
export class UnitNorm extends Parametrization {
  /** The axes that each norm runs over, as given. */
  readonly axis: readonly number[];

  constructor(options: UnitNormOptions = {}) {
    super();
    this.axis = [this.checkedOptions(options).axis].flat();
  }

  override forward(X: Tensor): Tensor {
    const axes = axesOf('unitNorm', this.axis, X);
    const kept = X.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return weightNormOp(tf.ones(axes.length === X.rank ? [] : kept), X, axes, 0);
  }

  /** The weight itself: one of norm one is kept, any other is divided by its norm. */
  override rightInverse(W: Tensor): Tensor {
    return W;
  }

  override isPure(): boolean {
    return true;
  }
}

/**
 * Divides a weight by its norms; see {@link UnitNorm}. One line takes the place of
 * `kernelConstraint: tf.constraints.unitNorm()`, and holds while the model trains.
 *
 * @param name - the tensor; default the host's main weight
 * @returns the host
 * @throws {@link ParametrizeError} `OPTION` if `axis` makes no sense for the tensor; as {@link registerParametrization}
 * @example
 * ```ts
 * unitNorm(dense);                              // every column of the kernel
 * unitNorm(conv, 'kernel', { axis: [0, 1, 2] }); // every filter
 * ```
 * @see tf.constraints.unitNorm
 */
export const unitNorm = defineParametrization<UnitNorm, UnitNormOptions>({
  name: 'unitNorm',
  class: UnitNorm,
  hasFixedFields: true,
  copies: 10,
  options: { axis: { default: 0, ...normAxes } },
  make: (_, options) => new UnitNorm(options),
});
