import type { ParametrizeError } from '../../core/errors.ts';
import { type ConvOptions, convOptions } from './convOptions.ts';
import { Convolution } from './convolution.ts';

/** Options of {@link Conv2d}; a pair is `[height, width]`. */
export interface Conv2dOptions extends ConvOptions<readonly [number, number]> {}

/**
 * A convolution over images, without flipping the kernel, as in every deep-learning library.
 *
 * `y[n, o, p, q] = b[o] + Σ꜀ᵢⱼ W[o, c, i, j] · x[n, c, p·s₀ + i·d₀ − p₀, q·s₁ + j·d₁ − p₁]`, with c over the channels
 * of o's group, stride s, dilation d and padding p
 *
 * @remarks
 * **Shape**: input `[n, inChannels, height, width]`, or `[inChannels, height, width]` without a batch; output
 * `[n, outChannels, h, w]` or `[outChannels, h, w]` with
 * `h = ⌊(height + 2·padding[0] − dilation[0]·(kernelSize[0] − 1) − 1) / stride[0]⌋ + 1`, and the same for w. With
 * padding `'same'`, `h = height` and `w = width`; if the number of zeros is odd, the last one is at the bottom or
 * right.
 * **State**: `weight` `[outChannels, inChannels / groups, ...kernelSize]`, `bias` `[outChannels]` (absent if `bias` is
 * false); both from U(-1/√f, 1/√f) with `f = kernelSize[0] · kernelSize[1] · inChannels / groups`.
 * **Gradient**: with respect to input, weight and bias, of any order and for any stride and dilation, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new Conv2d(3, 8, 3, { stride: 2, padding: 1 });
 * const y = layer.call(tf.ones([4, 3, 28, 28])); // [4, 8, 14, 14]
 * ```
 * @see torch.nn.Conv2d
 */
export class Conv2d extends Convolution<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Conv2d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, groups do not divide the
   * channels, padding is `'same'` with a stride other than 1, or an option is unknown
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: Conv2dOptions = {},
  ) {
    super(
      inChannels,
      outChannels,
      convOptions<readonly [number, number]>('Conv2d', 2, inChannels, outChannels, kernelSize, options),
    );
  }
}
