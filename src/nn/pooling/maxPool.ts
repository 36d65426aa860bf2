import type { Tensor } from '@tensorflow/tfjs-core';
import { checkBoolean, checkOptions } from '../../core/checkOptions.ts';
import type { ParametrizeError } from '../../core/errors.ts';
import { maxPool } from '../../ops/pooling/maxPool.ts';
import { LAYOUT_AWARE, spatialInputOf, type TensorInLayout, torchLayout } from '../layout/layoutAware.ts';
import { checkSpatialInput } from '../layout/spatialInput.ts';
import { Module } from '../module/module.ts';
import { checkPoolSizes, formatSizes, mapImages, placeWindow, type Sizes } from './poolWindow.ts';

/** Options of {@link MaxPool1d} and {@link MaxPool2d}; a number applies to every spatial axis. */
export interface MaxPoolOptions<Size> {
  /** The number of steps between two windows. Default: kernelSize. */
  readonly stride?: Sizes<Size>;
  /** The number of elements −∞ on both sides of the input, at most half the window. Default 0. */
  readonly padding?: Sizes<Size>;
  /** The number of steps between two elements of a window. Default 1. */
  readonly dilation?: Sizes<Size>;
  /** True if the last window may reach beyond the padded input. Default false. */
  readonly ceilMode?: boolean;
}

/** The base class of MaxPool1d and MaxPool2d. */
abstract class MaxPool<Size extends readonly number[]> extends Module {
  /** The size of the window. */
  readonly kernelSize: Sizes<Size>;
  /** The number of steps between two windows. */
  readonly stride: Sizes<Size>;
  /** The number of elements −∞ on both sides of the input. */
  readonly padding: Sizes<Size>;
  /** The number of steps between two elements of a window. */
  readonly dilation: Sizes<Size>;
  /** True if the last window may reach beyond the padded input. */
  readonly ceilMode: boolean;

  protected constructor(
    caller: string,
    rank: number,
    kernelSize: Sizes<Size>,
    options: MaxPoolOptions<Size>,
  ) {
    super();
    checkOptions(caller, options, ['stride', 'padding', 'dilation', 'ceilMode']);
    const { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false } = options;
    checkBoolean(caller, 'ceilMode', ceilMode);
    checkPoolSizes(caller, rank, { kernelSize, stride, padding, dilation, ceilMode });
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.dilation = dilation;
    this.ceilMode = ceilMode;
  }

  /** The number of spatial axes. */
  protected abstract rank(): number;

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank or is smaller than the window; `DTYPE` if it
   * is not float32
   */
  forward(x: Tensor): Tensor {
    return this[LAYOUT_AWARE](torchLayout(x)).tensor;
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    const input = spatialInputOf(x);
    checkSpatialInput(this, input, this.rank());
    const window = placeWindow(this, input, this.rank());
    return mapImages(x, window.outputs, (images) => maxPool(images, window));
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, ceilMode } = this;
    const sizes = Object.entries({ kernelSize, stride, padding, dilation });
    return `${sizes.map(([name, size]) => `${name}=${formatSizes(size)}`).join(', ')}, ceilMode=${ceilMode}`;
  }
}

/**
 * The largest element of every window of a sequence.
 *
 * `y[n, c, t] = maxᵢ x[n, c, t·stride + i·dilation − padding]`, i < kernelSize
 *
 * @remarks
 * **Shape**: input `[n, channels, length]`, or `[channels, length]` without a batch; output `[n, channels, l]` or
 * `[channels, l]` with `l = ⌊(length + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1`; with ceilMode rounded
 * up, unless the last window would begin after the input.
 * **State**: none.
 * **Gradient**: of any order, on every backend; it goes to the first of the largest elements, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new MaxPool1d(3, { stride: 2 }).call(tf.ones([2, 4, 9])); // [2, 4, 4]
 * ```
 * @see torch.nn.MaxPool1d (without return_indices)
 */
export class MaxPool1d extends MaxPool<readonly [number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'MaxPool1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, the padding is more than half
   * the window, or an option is unknown
   */
  constructor(kernelSize: Sizes<readonly [number]>, options: MaxPoolOptions<readonly [number]> = {}) {
    super('MaxPool1d', 1, kernelSize, options);
  }

  protected override rank(): number {
    return 1;
  }
}

/**
 * The largest element of every window of an image.
 *
 * `y[n, c, p, q] = maxᵢⱼ x[n, c, p·s₀ + i·d₀ − p₀, q·s₁ + j·d₁ − p₁]`, with stride s, dilation d and padding p
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]`, or `[channels, height, width]` without a batch; output
 * `[n, channels, h, w]` or `[channels, h, w]` with
 * `h = ⌊(height + 2·padding[0] − dilation[0]·(kernelSize[0] − 1) − 1) / stride[0]⌋ + 1`, and the same for w; with
 * ceilMode rounded up, unless the last window would begin after the input.
 * **State**: none.
 * **Gradient**: of any order, on every backend; it goes to the first of the largest elements, as in torch.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new MaxPool2d(2).call(tf.ones([8, 3, 28, 28])); // [8, 3, 14, 14]
 * ```
 * @see torch.nn.MaxPool2d (without return_indices)
 */
export class MaxPool2d extends MaxPool<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'MaxPool2d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, the padding is more than half
   * the window, or an option is unknown
   */
  constructor(
    kernelSize: Sizes<readonly [number, number]>,
    options: MaxPoolOptions<readonly [number, number]> = {},
  ) {
    super('MaxPool2d', 2, kernelSize, options);
  }

  protected override rank(): number {
    return 2;
  }
}
