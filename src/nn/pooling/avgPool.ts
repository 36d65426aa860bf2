import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkOptions } from '../../core/checkOptions.ts';
import type { ParametrizeError } from '../../core/errors.ts';
import { convolutionNd } from '../../ops/convolution/convolutionNd.ts';
import { LAYOUT_AWARE, spatialInputOf, type TensorInLayout, torchLayout } from '../layout/layoutAware.ts';
import { checkSpatialInput, perAxis } from '../layout/spatialInput.ts';
import { Module } from '../module/module.ts';
import {
  checkPoolSizes,
  formatSizes,
  mapImages,
  type PlacedWindow,
  placeWindow,
  type Sizes,
} from './poolWindow.ts';

/** Options of {@link AvgPool1d}. */
export interface AvgPool1dOptions<Size = readonly [number]> {
  /** The number of steps between two windows. Default: kernelSize. */
  readonly stride?: Sizes<Size>;
  /** The number of zeros on both sides of the input, at most half the window. Default 0. */
  readonly padding?: Sizes<Size>;
  /** True if the last window may reach beyond the padded input. Default false. */
  readonly ceilMode?: boolean;
  /** True if the zeros of the padding count as elements. Default true. */
  readonly countIncludePad?: boolean;
}

/** Options of {@link AvgPool2d}; a number applies to both axes. */
export interface AvgPool2dOptions extends AvgPool1dOptions<readonly [number, number]> {
  /** The divisor of the sums, instead of the number of elements. Default null. */
  readonly divisorOverride?: number | null;
}

/** The base class of AvgPool1d and AvgPool2d. */
abstract class AvgPool<Size extends readonly number[]> extends Module {
  /** The size of the window. */
  readonly kernelSize: Sizes<Size>;
  /** The number of steps between two windows. */
  readonly stride: Sizes<Size>;
  /** The number of zeros on both sides of the input. */
  readonly padding: Sizes<Size>;
  /** True if the last window may reach beyond the padded input. */
  readonly ceilMode: boolean;
  /** True if the zeros of the padding count as elements. */
  readonly countIncludePad: boolean;

  protected constructor(
    caller: string,
    rank: number,
    kernelSize: Sizes<Size>,
    options: AvgPool1dOptions<Size>,
  ) {
    super();
    const { stride = kernelSize, padding = 0, ceilMode = false, countIncludePad = true } = options;
    checkBoolean(caller, 'ceilMode', ceilMode);
    checkBoolean(caller, 'countIncludePad', countIncludePad);
    checkPoolSizes(caller, rank, { kernelSize, stride, padding, ceilMode });
    this.kernelSize = kernelSize;
    this.stride = stride;
    this.padding = padding;
    this.ceilMode = ceilMode;
    this.countIncludePad = countIncludePad;
  }

  /** The number of spatial axes. */
  protected abstract rank(): number;

  /** The divisor of every sum, or null for the number of elements. */
  protected abstract divisor(): number | null;

  /**
   * @throws {@link ParametrizeError} `SHAPE` if the input has another rank or is smaller than the window; `DTYPE` if it
   * is not float32
   */
  forward(x: Tensor): Tensor {
    return this[LAYOUT_AWARE](torchLayout(x)).tensor;
  }

  /** @internal */
  [LAYOUT_AWARE](x: TensorInLayout): TensorInLayout {
    const rank = this.rank();
    const input = spatialInputOf(x);
    checkSpatialInput(this, input, rank);
    const window = placeWindow(this, input, rank);
    const divisor = this.divisor();
    return mapImages(x, window.outputs, (images) => {
      const groups = images.shape.at(-1)!;
      const sums = convolutionNd(images, tf.ones([...window.kernel, 1, groups]), { ...window, groups });
      return divisor === null
        ? tf.mul(sums, sharesOf(input.shape.slice(-rank), window, this.countIncludePad))
        : tf.div(sums, divisor);
    });
  }

  override extraRepr(): string {
    const sizes = Object.entries({ kernelSize: this.kernelSize, stride: this.stride, padding: this.padding });
    return sizes.map(([name, size]) => `${name}=${formatSizes(size)}`).join(', ');
  }
}

/**
 * Returns the weight of an element in each output, `[...outputs, 1]`: the product over the axes of 1 / the number of
 * elements.
 */
function sharesOf(
  size: readonly number[],
  { kernel, strides, pads, outputs }: PlacedWindow,
  countIncludePad: boolean,
): Tensor {
  const byAxis = outputs.map((steps, axis) => {
    const [length, padding] = [size[axis]!, pads[axis]![0]];
    const shares = Float32Array.from({ length: steps }, (_, step) => {
      const begin = step * strides[axis]! - padding;
      // Elements that ceilMode adds after the padding never count.
      const end = Math.min(begin + kernel[axis]!, length + padding);
      return 1 / (countIncludePad ? end - begin : Math.min(end, length) - Math.max(begin, 0));
    });
    const isUniform = shares.every((share) => share === shares[0]);
    return isUniform
      ? tf.scalar(shares[0]!)
      : tf.tensor(shares, [steps, ...outputs.slice(axis).map(() => 1)]);
  });
  return byAxis.reduce((product: Tensor, shares) => tf.mul(product, shares));
}

/**
 * The mean of every window of a sequence.
 *
 * `y[n, c, t] = Σᵢ x[n, c, t·stride + i − padding] / kernelSize`, i < kernelSize
 *
 * @remarks
 * **Shape**: input `[n, channels, length]`, or `[channels, length]` without a batch; output `[n, channels, l]` or
 * `[channels, l]` with `l = ⌊(length + 2·padding − kernelSize) / stride⌋ + 1`; with ceilMode rounded up, unless the
 * last window would begin after the input.
 * **State**: none.
 * **Gradient**: of any order, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new AvgPool1d(3, { stride: 2 }).call(tf.ones([2, 4, 9])); // [2, 4, 4]
 * ```
 * @see torch.nn.AvgPool1d
 */
export class AvgPool1d extends AvgPool<readonly [number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'AvgPool1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, the padding is more than half
   * the window, or an option is unknown
   */
  constructor(kernelSize: Sizes<readonly [number]>, options: AvgPool1dOptions = {}) {
    checkOptions('AvgPool1d', options, ['stride', 'padding', 'ceilMode', 'countIncludePad']);
    // Unlike the other pooling layers, torch's AvgPool1d prints its sizes as arrays.
    const { stride = kernelSize, padding = 0 } = options;
    const size = (name: string, value: Sizes<readonly [number]>, minimum?: number) =>
      perAxis<readonly [number]>('AvgPool1d', 1, name, value, minimum);
    super('AvgPool1d', 1, size('kernelSize', kernelSize), {
      ...options,
      stride: size('stride', stride),
      padding: size('padding', padding, 0),
    });
  }

  protected override rank(): number {
    return 1;
  }

  protected override divisor(): null {
    return null;
  }
}

/**
 * The mean of every window of an image.
 *
 * `y[n, c, p, q] = Σᵢⱼ x[n, c, p·s₀ + i − p₀, q·s₁ + j − p₁] / (kernelSize[0]·kernelSize[1])`, with stride s and
 * padding p
 *
 * @remarks
 * **Shape**: input `[n, channels, height, width]`, or `[channels, height, width]` without a batch; output
 * `[n, channels, h, w]` or `[channels, h, w]` with `h = ⌊(height + 2·padding[0] − kernelSize[0]) / stride[0]⌋ + 1`, and
 * the same for w; with ceilMode rounded up, unless the last window would begin after the input.
 * **State**: none.
 * **Gradient**: of any order, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const y = new AvgPool2d(2).call(tf.ones([8, 3, 28, 28])); // [8, 3, 14, 14]
 * ```
 * @see torch.nn.AvgPool2d
 */
export class AvgPool2d extends AvgPool<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'AvgPool2d';

  /** The divisor of the sums, instead of the number of elements; or null. */
  readonly divisorOverride: number | null;

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, the padding is more than half
   * the window, or an option is unknown
   */
  constructor(kernelSize: Sizes<readonly [number, number]>, options: AvgPool2dOptions = {}) {
    const known = ['stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride'];
    checkOptions('AvgPool2d', options, known);
    const { divisorOverride = null } = options;
    if (divisorOverride !== null) checkInteger('AvgPool2d', 'divisorOverride', divisorOverride);
    super('AvgPool2d', 2, kernelSize, options);
    this.divisorOverride = divisorOverride;
  }

  protected override rank(): number {
    return 2;
  }

  protected override divisor(): number | null {
    return this.divisorOverride;
  }
}
