import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { refusal } from '../core/errors.ts';
import { formatShape } from '../core/shapes.ts';
import { normalNumbers } from '../nn/init/random.ts';
import { assignFields } from '../nn/module/assignFields.ts';
import { buffer, parameter } from '../nn/module/parameter.ts';
import { fakeQuantizeOp, type IntegerGrid, LEAST_SCALE, learnedFakeQuantizeOp } from '../ops/fakeQuantize.ts';
import { defineParametrization } from '../parametrize/define.ts';
import { Parametrization } from '../parametrize/parametrization.ts';
import { listOf, optionOf } from './axes/keptAxes.ts';
import { groupAxis } from './masks/groupAxis.ts';
import { isQuantized } from './quantization/isQuantized.ts';
import { extremesOf, gridFor, gridOver, movedExtremes } from './quantization/observedGrid.ts';
import {
  checkQuantizeOptions,
  type FakeQuantizeOptions,
  quantizeOptions,
  rangeOf,
} from './quantization/quantizeOptions.ts';
import { ScaleLayout } from './quantization/scaleLayout.ts';

export type { FakeQuantizeOptions } from './quantization/quantizeOptions.ts';

/**
 * Rounds a weight to numbers that integers of few bits stand for: `W = (q − z) · s` with
 * `q = clamp(z + round(X · (1 / s)))`, halves to the even integer.
 *
 * @remarks
 * **Shape**: X, W: S. s, z: the sizes of the axes of `dim`, and for an axis with groups their number, in the order of
 * the axes; `[1]` for one scale.
 * **State**: `original` = X; buffers `scale` = s, of at least 2⁻²³, and `zero_point` = z, an integer. With `learned`,
 * `scale` is a parameter, and without `symmetric` also `zero_point`, which is rounded. With an `observer`, also the
 * buffers `min_val` and `max_val`.
 * **Gradient**: straight through: `∂L/∂X = ∂L/∂W` where q is in the range before it is limited, zero elsewhere. It
 * has no gradient of its own. With `learned`, that to s is `g · Σ ∂L/∂W · (W − X) / s` in the range, and `g · Σ ∂L/∂W
 * · (end − z)` beyond an end, with `g = 1 / √(n · max)` for n elements with one scale.
 * **Purity**: not pure while it trains with an `observer`: each evaluation moves the scale.
 * **Ownership**: the instance owns its variables; `dispose()` frees them. A removal disposes an instance that
 * {@link fakeQuantize} made.
 *
 * A registration moves the weight to the nearest numbers of the grid. The scale is the smallest whose grid covers the
 * weight; with `learned` and `symmetric`, `2 · mean|X| / √max`. An assigned value that is on the grid keeps it. Any
 * other gives its slice a new scale.
 *
 * NaN stays NaN (torch: the smallest number), and infinity becomes the end of the range.
 *
 * @throws {@link ParametrizeError} `OPTION`; `DTYPE` for a tensor that is not float32; `SHAPE` if groups do not divide
 * their axis, and for a tensor of another shape
 * @see torch.fake_quantize_per_channel_affine; Esser et al. 2020, arXiv:1902.08153 (`learned`)
 */
export class FakeQuantize extends Parametrization {
  /** The number of bits of an integer. */
  readonly bits: number;
  /** True if 0 stands for 0. */
  readonly symmetric: boolean;
  /** The axes with a scale for each index. */
  readonly dim: readonly number[];
  /** The number of neighbors with one scale; undefined without groups. */
  readonly groupSize: number | undefined;
  /** The axis of the groups; undefined without groups. */
  readonly groupDim: number | undefined;
  /** True if the scale is trained. */
  readonly learned: boolean;
  /** The smallest and the largest integer. */
  readonly range: readonly [min: number, max: number];
  /** What an evaluation in training mode does to the scale. */
  readonly observer: 'none' | 'minMax' | 'movingAverage';
  /** The share of the newest extremes in the moving average. */
  readonly averagingConstant: number;
  /** The numbers that a step of one stands for. An assigned tensor is copied. */
  scale: Tensor;
  /** The integers that stand for zero. An assigned tensor is copied. */
  zero_point: Tensor;
  /** The smallest elements that the observer has seen; absent without one. */
  declare min_val?: Tensor;
  /** The largest elements that the observer has seen; absent without one. */
  declare max_val?: Tensor;
  /** @internal The layout of the scales. */
  readonly layout: ScaleLayout;

  /** @param weight - the tensor to parametrize, whose extremes make the scale */
  constructor(weight: Tensor, options: FakeQuantizeOptions = {}) {
    super();
    const checked = this.checkedOptions(options);
    if (weight.dtype !== 'float32') {
      throw refusal(
        'DTYPE',
        'fakeQuantize',
        `expected a float32 tensor, got ${weight.dtype}`,
        'Cast it first.',
      );
    }
    this.bits = checked.bits;
    this.symmetric = checked.symmetric;
    this.groupSize = options.groupSize;
    this.dim = listOf(options.dim ?? (this.groupSize === undefined ? null : 0));
    this.groupDim =
      this.groupSize === undefined ? undefined : (options.groupDim ?? (this.dim.includes(0) ? 1 : 0));
    this.learned = checked.learned;
    this.range = rangeOf(options);
    this.observer = checked.observer;
    this.averagingConstant = checked.averagingConstant;
    this.layout = new ScaleLayout('fakeQuantize', weight.shape, this);
    const variables = tf.tidy(() => {
      const { scale, zeroPoint } = gridFor(weight, this.layout, this);
      const hasPoint = this.learned && !this.symmetric;
      const observed = this.observer === 'none' ? null : extremesOf(weight, this.layout);
      return {
        scale: this.learned ? parameter(scale) : buffer(scale),
        zero_point: hasPoint ? parameter(zeroPoint) : buffer(tf.cast(zeroPoint, 'int32')),
        ...(observed && { min_val: buffer(observed.min), max_val: buffer(observed.max) }),
      };
    });
    this.scale = variables.scale;
    this.zero_point = variables.zero_point;
    if (variables.min_val !== undefined) Object.assign(this, variables);
  }

  override forward(X: Tensor): Tensor {
    this.checkShape(X);
    if (!this.isPure()) this.observe(X);
    if (X.size === 0) return tf.clone(X);
    const { layout, learned, range } = this;
    const [seen, grid] = [layout.split(X), this.grid(tf.cast(this.zero_point, 'float32'))];
    const factor = 1 / Math.sqrt(layout.elements * range[1]);
    return layout.merge(learned ? learnedFakeQuantizeOp(seen, grid, factor) : fakeQuantizeOp(seen, grid));
  }

  /** Returns the weight. A slice that is not on the grid gets a scale that covers it. */
  override rightInverse(W: Tensor): Tensor {
    this.checkShape(W);
    tf.tidy(() => {
      const { layout } = this;
      const differs = tf.cast(tf.notEqual(this.quantized(W), W), 'float32');
      const moves = tf.cast(extremesOf(differs, layout).max, 'bool');
      const { scale, zeroPoint } = gridFor(W, layout, this);
      const point = this.zero_point;
      const values = {
        scale: tf.where(moves, scale, this.scale),
        zero_point: tf.cast(tf.where(moves, zeroPoint, tf.cast(point, 'float32')), point.dtype),
      };
      const { min, max } = extremesOf(W, layout);
      assignFields(this, this.observer === 'none' ? values : { ...values, min_val: min, max_val: max });
    });
    return W;
  }

  /** Returns false while the map trains with an observer, where an evaluation moves the scale. */
  override isPure(): boolean {
    return this.observer === 'none' || !this.training;
  }

  /**
   * @internal Returns the scales and zero points that a value has now, rounded and limited, in the shape of
   * {@link scale}: tensors of the caller.
   */
  currentGrid(): { scale: Tensor; zeroPoint: Tensor } {
    return { scale: tf.maximum(this.scale, LEAST_SCALE), zeroPoint: this.roundedPoint() };
  }

  private quantized(X: Tensor): Tensor {
    const { layout } = this;
    return X.size === 0 ? X : layout.merge(fakeQuantizeOp(layout.split(X), this.grid(this.roundedPoint())));
  }

  private roundedPoint(): Tensor {
    return tf.clipByValue(tf.round(tf.cast(this.zero_point, 'float32')), ...this.range);
  }

  private grid(zeroPoint: Tensor): IntegerGrid {
    const { layout, range } = this;
    return { scale: layout.broadcast(this.scale), zeroPoint: layout.broadcast(zeroPoint), range };
  }

  /** Moves the extremes and the scale by a value. */
  private observe(X: Tensor): void {
    const rate = this.observer === 'minMax' ? null : this.averagingConstant;
    const next = movedExtremes({ min: this.min_val!, max: this.max_val! }, extremesOf(X, this.layout), rate);
    const { scale, zeroPoint } = gridOver(next, this.symmetric, this.range);
    const zero_point = tf.cast(zeroPoint, 'int32');
    assignFields(this, { scale, zero_point, min_val: next.min, max_val: next.max });
  }

  private checkShape({ shape }: Tensor): void {
    if (tf.util.arraysEqual(shape, [...this.layout.shape])) return;
    throw refusal(
      'SHAPE',
      'fakeQuantize',
      `this FakeQuantize was made for shape ${formatShape(this.layout.shape)}, got ${formatShape(shape)}`,
      'Make one for each tensor: new FakeQuantize(tensor).',
    );
  }
}

/**
 * Rounds a weight to numbers that integers of few bits stand for; see {@link FakeQuantize}.
 *
 * A second call adds a second step on top, whose numbers are the value. Rules of `parametrize` refuse that as a
 * `CONFLICT`.
 *
 * @throws {@link ParametrizeError} `OPTION`; `DTYPE` for a tensor that is not float32; `SHAPE` if groups do not divide
 * their axis; the errors of {@link registerParametrization}
 * @example
 * ```ts
 * fakeQuantize(layer);                              // int8, one scale
 * fakeQuantize(conv, { dim: 0 });                   // int8, one scale for each output channel
 * fakeQuantize(linear, { bits: 4, groupSize: 32 }); // int4, one scale for 32 inputs of each output
 * ```
 * @see torch.ao.quantization.FakeQuantize
 * @function
 */
export const fakeQuantize = defineParametrization<FakeQuantize, FakeQuantizeOptions>({
  name: 'fakeQuantize',
  class: FakeQuantize,
  hasFixedFields: true,
  copies: 16,
  options: quantizeOptions,
  check: checkQuantizeOptions,
  axes: { option: 'dim' },
  make(target, options) {
    const { groupSize, dim, groupDim } = options;
    if (groupSize === undefined) return new FakeQuantize(target.value, options);
    return new FakeQuantize(target.value, {
      ...options,
      dim: dim ?? target.outputAxis,
      groupDim: groupDim ?? groupAxis('fakeQuantize', target),
    });
  },
  config: ({ dim, groupSize, groupDim, bits, symmetric, learned, range, observer, averagingConstant }) => {
    const groups = groupSize === undefined ? {} : { groupSize, groupDim: groupDim! };
    return { bits, symmetric, dim: optionOf(dim), ...groups, learned, range, observer, averagingConstant };
  },
  set: {
    contains: isQuantized,
    sample(shape, options) {
      const numbers = normalNumbers(shape);
      const map = new FakeQuantize(numbers, options);
      const value = map.forward(numbers);
      map.dispose();
      return value;
    },
  },
});
