import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { normOp, weightNormOp } from '../kernels/index.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { weightNormKeys } from '../nn/stateDict/weightNormKeys.ts';
import { exp } from '../ops/smooth.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import {
  checkNorms,
  type KeptAxes,
  keptAxes,
  listOf,
  optionOf,
  reducedAxes,
  scalarIf,
  sizeAlong,
} from './axes/keptAxes.ts';
import { notNegative, oneOf } from './options.ts';
import { vectorsBut } from './set/slices.ts';

/** The form of the trained length of a slice: the length, or its logarithm. */
export type WeightNormScale = 'linear' | 'log';

/** Options of {@link weightNorm}. */
export interface WeightNormOptions {
  /**
   * The axis or axes with separate norms; null or `[]` for one norm of the whole tensor. A negative axis counts from
   * the end. That includes -1, which means the whole tensor in torch. Default 0; on layers of tf.layers, the axes that
   * number the outputs.
   */
  readonly dim?: KeptAxes;
  /** The lower bound of the divisor, in the unit of the norm. Default 0: no bound. */
  readonly eps?: number;
  /**
   * `'linear'`: g is trained. `'log'`: s is trained, with `g = eˢ`, so that g stays above 0 and a step multiplies it.
   * Default `'linear'`.
   */
  readonly scale?: WeightNormScale;
}

/** The length that stands for a length of 0, whose logarithm would be infinite. */
const LEAST = 1e-12;

/**
 * Separates the length of a weight from its direction (weight normalization).
 *
 * `W = g · v / max(‖v‖, eps)`, with the norm over every axis but `dim` and the letters of the paper. With
 * `scale: 'log'`, `g = eˢ`.
 *
 * @remarks
 * **Shape**: v, W: S. g: S with every axis but `dim` set to 1; a scalar for `dim: null`.
 * **State**: `original0` = g (alias `g`), `original1` = v (alias `v`), both trainable. With `scale: 'log'`,
 * `original0` = s (alias `s`), of the shape of g. No buffers.
 * **Files**: a checkpoint of torch has g. If `scale` is `'log'`, `weight_g` and `weight_v` are loaded through the value
 * of the weight, and `original0` is loaded as s.
 * **Units**: g has the unit of W. W does not depend on the length of v.
 * **Gradient**: in closed form, `∂L/∂g = Σ(∂L/∂W · u)`, `∂L/∂v = g/‖v‖ · (∂L/∂W − u · ∂L/∂g)` with `u = v/‖v‖`; it can
 * be differentiated again. Where v is zero, W and both gradients are zero, never NaN as in torch.
 *
 * @throws {@link ParametrizeError} `OPTION` for an invalid `dim` or `eps`; `DTYPE` for a value that is not float32;
 * `SHAPE` for a g that has not one length for each norm, as the g of other axes
 * @see Salimans and Kingma 2016, arXiv:1602.07868. torch.nn.utils.parametrizations.weight_norm
 */
export class WeightNorm extends Parametrization {
  /** The axes with separate norms, as given. */
  readonly dim: readonly number[];
  /** The form of the trained length. */
  readonly scale: WeightNormScale;
  override readonly originalNames: readonly string[];
  private lowerBound: number;

  constructor(options: WeightNormOptions = {}) {
    super();
    const { dim, eps, scale } = this.checkedOptions(options);
    this.dim = listOf(dim);
    this.scale = scale;
    this.originalNames = [scale === 'log' ? 's' : 'g', 'v'];
    this.lowerBound = eps;
  }

  /** The lower bound of the divisor. */
  get eps(): number {
    return this.lowerBound;
  }

  /** Sets the lower bound. Cached values become stale. */
  set eps(eps: number) {
    this.checkOption('eps', eps);
    this.lowerBound = eps;
    this.invalidate();
  }

  override forward(scale: Tensor, v: Tensor): Tensor {
    const axes = reducedAxes('weightNorm', this.dim, v);
    checkNorms('weightNorm', scale, v, axes);
    const g = this.scale === 'log' ? exp(scale) : scale;
    return weightNormOp(g, v, axes, this.eps);
  }

  /**
   * Returns `g = max(‖W‖, eps)` and `v = W`, which keep the value. With `scale: 'log'`, returns `s = log g`; a g of 0
   * counts as 1e-12.
   */
  override rightInverse(W: Tensor): [Tensor, Tensor] {
    if (W.dtype !== 'float32') {
      throw refusal('DTYPE', 'weightNorm', `expected a float32 tensor, got ${W.dtype}`, 'Cast it first.');
    }
    const length = normOp(W, reducedAxes('weightNorm', this.dim, W));
    const g = this.eps > 0 ? tf.maximum(length, this.eps) : length;
    const isLog = this.scale === 'log';
    const scale = isLog ? tf.tidy(() => tf.log(tf.where(tf.greater(g, 0), g, LEAST))) : g;
    return [scalarIf(this.dim.length === 0, scale), W];
  }

  override isPure(): boolean {
    return true;
  }
}

declare module '../parametrize/chain/parametrizationList.ts' {
  interface ParametrizationList {
    /** The lengths of a weight-normalized or standardized tensor: `original0`. Absent on other tensors. */
    readonly g?: Variable;
    /** The logarithms of the lengths, with `scale: 'log'`: `original0`. Absent on other tensors. */
    readonly s?: Variable;
    /** The direction of a weight-normalized or standardized tensor: `original1`. Absent on other tensors. */
    readonly v?: Variable;
  }
}

/**
 * Normalizes a weight of a module: `W = g · v / ‖v‖`, where g and v are trained; see {@link WeightNorm}. The weight
 * keeps its value.
 *
 * @throws {@link ParametrizeError} `OPTION` for a `dim` or `eps` that is invalid for the tensor, `DTYPE` for a
 * tensor that is not float32; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * weightNorm(conv);                                  // one norm per output channel
 * weightNorm(lstm, 'weight_hh_l0', { dim: null });   // one norm
 * parametrizationsOn(conv, 'weight').g;              // the lengths
 * ```
 * @see torch.nn.utils.parametrizations.weight_norm
 * @function
 */
export const weightNorm = defineParametrization<WeightNorm, WeightNormOptions>({
  name: 'weightNorm',
  class: WeightNorm,
  hasFixedFields: true,
  copies: 10,
  options: {
    dim: keptAxes,
    eps: { default: 0, isQuiet: true, ...notNegative },
    scale: { default: 'linear', isQuiet: true, ...oneOf(['linear', 'log']) },
  },
  originals: { g: {}, v: {} },
  hookKeys: weightNormKeys,
  // torch's weight_g is not a logarithm.
  hasHookKeys: ({ scale }) => scale !== 'log',
  axes: { option: 'dim' },
  make: ({ outputAxes }, options) => new WeightNorm({ dim: outputAxes ?? 0, ...options }),
  config: ({ dim, eps, scale }) => ({ dim: optionOf(dim), eps, scale }),
  set: {
    contains: (value, { dim }) => vectorsBut(value, listOf(dim)) !== null,
    sample(shape, { dim }) {
      const numbers = normalNumbers(shape);
      const fanIn = sizeAlong(numbers, reducedAxes('weightNorm.sample', listOf(dim), numbers));
      return tf.div(numbers, Math.sqrt(Math.max(1, fanIn)));
    },
  },
});
