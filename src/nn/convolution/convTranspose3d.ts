import type { ParametrizeError } from '../../core/errors.ts';
import { type ConvTransposeOptions, convTransposeOptions } from './convOptions.ts';
import { TransposedConvolution } from './transposedConvolution.ts';

/** Options of {@link ConvTranspose3d}; a triple is `[depth, height, width]`. */
export interface ConvTranspose3dOptions extends ConvTransposeOptions<readonly [number, number, number]> {}

/**
 * A transposed convolution over volumes: the gradient of {@link Conv3d} with respect to its input, as a layer.
 *
 * `y[n, o, s⊙p + d⊙i − padding] = b[o] + Σ꜀ᵢ W[c, o, i] · x[n, c, p]`, summed over all positions p and taps i that meet
 * at this position, with c over the channels of o's group, stride s and dilation d along each axis
 *
 * @remarks
 * **Shape**: input `[n, inChannels, depth, height, width]`, or `[inChannels, depth, height, width]` without a batch;
 * output `[n, outChannels, d, h, w]` or `[outChannels, d, h, w]` with
 * `d = (depth − 1)·stride[0] − 2·padding[0] + dilation[0]·(kernelSize[0] − 1) + outputPadding[0] + 1`, and the same for
 * h and w; or the `outputSize` of the call, which replaces outputPadding.
 * **State**: `weight` `[inChannels, outChannels / groups, ...kernelSize]`, `bias` `[outChannels]` (absent if `bias` is
 * false); both from U(-1/√f, 1/√f) with `f = kernelSize[0] · kernelSize[1] · kernelSize[2] · outChannels / groups`.
 * **Gradient**: with respect to input, weight and bias, of any order and for any stride and dilation, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new ConvTranspose3d(4, 2, 2, { stride: 2 });
 * const y = layer.call(tf.ones([1, 4, 5, 6, 7])); // [1, 2, 10, 12, 14]
 * ```
 * @see torch.nn.ConvTranspose3d
 */
export class ConvTranspose3d extends TransposedConvolution<readonly [number, number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ConvTranspose3d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, groups do not divide the
   * channels, outputPadding is not less than stride or dilation, or an option is unknown
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number, number],
    options: ConvTranspose3dOptions = {},
  ) {
    super(
      inChannels,
      outChannels,
      convTransposeOptions<readonly [number, number, number]>(
        'ConvTranspose3d',
        3,
        inChannels,
        outChannels,
        kernelSize,
        options,
      ),
    );
  }
}
