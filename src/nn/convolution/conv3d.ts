import type { ParametrizeError } from '../../core/errors.ts';
import { type ConvOptions, convOptions } from './convOptions.ts';
import { Convolution } from './convolution.ts';

/** Options of {@link Conv3d}; a triple is `[depth, height, width]`. */
export interface Conv3dOptions extends ConvOptions<readonly [number, number, number]> {}

/**
 * A convolution over volumes or videos, without flipping the kernel, as in every deep-learning library.
 *
 * `y[n, o, p] = b[o] + Σ꜀ᵢ W[o, c, i] · x[n, c, s⊙p + d⊙i − padding]`, with c over the channels of o's group, i over
 * the taps, stride s and dilation d along each axis
 *
 * @remarks
 * **Shape**: input `[n, inChannels, depth, height, width]`, or `[inChannels, depth, height, width]` without a batch;
 * output `[n, outChannels, d, h, w]` or `[outChannels, d, h, w]` with
 * `d = ⌊(depth + 2·padding[0] − dilation[0]·(kernelSize[0] − 1) − 1) / stride[0]⌋ + 1`, and the same for h and w. With
 * padding `'same'`, the size stays; if the number of zeros is odd, the last one is at the end.
 * **State**: `weight` `[outChannels, inChannels / groups, ...kernelSize]`, `bias` `[outChannels]` (absent if `bias` is
 * false); both from U(-1/√f, 1/√f) with `f = kernelSize[0] · kernelSize[1] · kernelSize[2] · inChannels / groups`.
 * **Gradient**: with respect to input, weight and bias, of any order and for any stride and dilation, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new Conv3d(1, 8, 3, { stride: [1, 2, 2], padding: 1 });
 * const y = layer.call(tf.ones([2, 1, 16, 28, 28])); // [2, 8, 16, 14, 14]
 * ```
 * @see torch.nn.Conv3d
 */
export class Conv3d extends Convolution<readonly [number, number, number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Conv3d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, groups do not divide the
   * channels, padding is `'same'` with a stride other than 1, or an option is unknown
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number, number, number],
    options: Conv3dOptions = {},
  ) {
    super(
      inChannels,
      outChannels,
      convOptions<readonly [number, number, number]>(
        'Conv3d',
        3,
        inChannels,
        outChannels,
        kernelSize,
        options,
      ),
    );
  }
}
