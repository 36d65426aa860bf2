import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { axisIn } from '../core/axes.ts';
import { type ParametrizeError, refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normOp, weightNormOp } from '../kernels/index.ts';
import { weightNormKeys } from '../nn/stateDict/weightNormKeys.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { notNegative } from './options.ts';

/** Options of {@link weightNorm}. */
export interface WeightNormOptions {
  /**
   * The axis or axes with separate norms; null or `[]` for one norm of the whole tensor. A negative axis counts from
   * the end. That includes -1, which means the whole tensor in torch. Default 0; on layers of tf.layers, the axes that
   * number the outputs.
   */
  readonly dim?: number | readonly number[] | null;
  /** The lower bound of the divisor, in the unit of the norm. Default 0: no bound. */
  readonly eps?: number;
}

/**
 * Separates the length of a weight from its direction (weight normalization).
 *
 * `W = g · v / max(‖v‖, eps)`, with the norm over every axis but `dim` and the letters of the paper.
 *
 * @remarks
 * **Shape**: v, W: S. g: S with every axis but `dim` set to 1; a scalar for `dim: null`.
 * **State**: `original0` = g (alias `g`), `original1` = v (alias `v`), both trainable. No buffers.
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
  private lowerBound: number;

  constructor(options: WeightNormOptions = {}) {
    super();
    const { dim, eps } = this.checkedOptions(options);
    this.dim = dim === null ? [] : [dim].flat();
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

  override forward(g: Tensor, v: Tensor): Tensor {
    const axes = reducedAxes(this.dim, v);
    checkNorms(g, v, axes);
    return weightNormOp(g, v, axes, this.eps);
  }

  /** Returns `g = max(‖W‖, eps)` and `v = W`, which keep the value. */
  override rightInverse(W: Tensor): [Tensor, Tensor] {
    if (W.dtype !== 'float32') {
      throw refusal('DTYPE', 'weightNorm', `expected a float32 tensor, got ${W.dtype}`, 'Cast it first.');
    }
    const length = normOp(W, reducedAxes(this.dim, W));
    const g = this.eps > 0 ? tf.maximum(length, this.eps) : length;
    return [this.dim.length === 0 ? tf.reshape(g, []) : g, W];
  }

  override isPure(): boolean {
    return true;
  }
}

declare module '../parametrize/chain/parametrizationList.ts' {
  interface ParametrizationList {
    /** The lengths of a weight-normalized tensor: `original0`. Absent on other tensors. */
    readonly g?: Variable;
    /** The direction of a weight-normalized tensor: `original1`. Absent on other tensors. */
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
    dim: {
      default: 0,
      expected: 'an axis, axes or null',
      accepts: (dim) => dim === null || [dim].flat().every(Number.isInteger),
    },
    eps: { default: 0, isQuiet: true, ...notNegative },
  },
  originals: { g: {}, v: {} },
  hookKeys: weightNormKeys,
  axes: { option: 'dim' },
  make: ({ outputAxes }, options) => new WeightNorm({ dim: outputAxes ?? 0, ...options }),
  config: ({ dim, eps }) => ({ dim: dim.length === 0 ? null : dim, eps }),
});

/** Refuses a g of other axes than those of the norms, which would be broadcast to a wrong weight. */
function checkNorms(g: Tensor, v: Tensor, axes: readonly number[]): void {
  const isOne = g.size === 1 && v.shape.every((size, axis) => size === 1 || axes.includes(axis));
  const isNorm = (size: number, axis: number): boolean => size === (axes.includes(axis) ? 1 : v.shape[axis]);
  if (isOne || (g.rank === v.rank && g.shape.every(isNorm))) return;
  const wanted = axes.length === v.rank ? [] : v.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const fact = `g has shape ${formatShape(g.shape)}, expected ${formatShape(wanted)} for v ${formatShape(v.shape)}`;
  throw refusal(
    'SHAPE',
    'weightNorm',
    fact,
    'Pass the dim of these originals, or let the right inverse make others.',
  );
}

/** Returns the axes of `x` that a norm runs over: all but the kept axes. */
function reducedAxes(dim: readonly number[], { shape, rank }: Tensor): number[] {
  const kept = dim.map((axis) => {
    const found = axisIn(axis, rank);
    if (found !== undefined) return found;
    const range = rank === 0 ? 'null' : `an axis from ${-rank} to ${rank - 1}, or null`;
    throw optionError(`dim ${axis} is out of range for shape ${formatShape(shape)}: expected ${range}`);
  });
  if (new Set(kept).size < kept.length) throw optionError(`dim [${dim.join(', ')}] names an axis twice`);
  return shape.map((_, axis) => axis).filter((axis) => !kept.includes(axis));
}

const optionError = (fact: string): ParametrizeError => refusal('OPTION', 'weightNorm', fact);
