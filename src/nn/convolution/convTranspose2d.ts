import type { ParametrizeError } from '../../core/errors.ts';
import { type ConvTransposeOptions, convTransposeOptions } from './convOptions.ts';
import { TransposedConvolution } from './transposedConvolution.ts';

/** Options of {@link ConvTranspose2d}; a pair is `[height, width]`. */
export interface ConvTranspose2dOptions extends ConvTransposeOptions<readonly [number, number]> {}

/**
 * A transposed convolution over images: the gradient of {@link Conv2d} with respect to its input, as a layer.
 *
 * `y[n, o, p·s₀ + i·d₀ − p₀, q·s₁ + j·d₁ − p₁] = b[o] + Σ꜀ᵢⱼ W[c, o, i, j] · x[n, c, p, q]`, summed over all p, q, i, j
 * that meet at this position, with c over the channels of o's group, stride s, dilation d and padding p
 *
 * @remarks
 * **Shape**: input `[n, inChannels, height, width]`, or `[inChannels, height, width]` without a batch; output
 * `[n, outChannels, h, w]` or `[outChannels, h, w]` with
 * `h = (height − 1)·stride[0] − 2·padding[0] + dilation[0]·(kernelSize[0] − 1) + outputPadding[0] + 1`, and the same
 * for w; or the `outputSize` of the call, which replaces outputPadding.
 * **State**: `weight` `[inChannels, outChannels / groups, ...kernelSize]`, `bias` `[outChannels]` (absent if `bias` is
 * false); both from U(-1/√f, 1/√f) with `f = kernelSize[0] · kernelSize[1] · outChannels / groups`.
 * **Gradient**: with respect to input, weight and bias, of any order and for any stride and dilation, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new ConvTranspose2d(16, 8, 3, { stride: 2, padding: 1, outputPadding: 1 });
 * const y = layer.call(tf.ones([2, 16, 7, 7])); // [2, 8, 14, 14]
 * ```
 * @see torch.nn.ConvTranspose2d
 */
export class ConvTranspose2d extends TransposedConvolution<readonly [number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ConvTranspose2d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, groups do not divide the
   * channels, outputPadding is not less than stride or dilation, or an option is unknown
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number],
    options: ConvTranspose2dOptions = {},
  ) {
    super(
      inChannels,
      outChannels,
      convTransposeOptions<readonly [number, number]>(
        'ConvTranspose2d',
        2,
        inChannels,
        outChannels,
        kernelSize,
        options,
      ),
    );
  }
}
