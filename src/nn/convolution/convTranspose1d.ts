import type { ParametrizeError } from '../../core/errors.ts';
import { type ConvTransposeOptions, convTransposeOptions } from './convOptions.ts';
import { TransposedConvolution } from './transposedConvolution.ts';

/** Options of {@link ConvTranspose1d}. */
export interface ConvTranspose1dOptions extends ConvTransposeOptions<readonly [number]> {}

/**
 * A transposed convolution over sequences: the gradient of {@link Conv1d} with respect to its input, as a layer.
 *
 * `y[n, o, t·stride + i·dilation − padding] = b[o] + Σ꜀ᵢ W[c, o, i] · x[n, c, t]`, summed over all t and i that meet at
 * this position, with c over the channels of o's group
 *
 * @remarks
 * **Shape**: input `[n, inChannels, length]`, or `[inChannels, length]` without a batch; output `[n, outChannels, l]`
 * or `[outChannels, l]` with `l = (length − 1)·stride − 2·padding + dilation·(kernelSize − 1) + outputPadding + 1`; or
 * the `outputSize` of the call, which replaces outputPadding.
 * **State**: `weight` `[inChannels, outChannels / groups, kernelSize]`, `bias` `[outChannels]` (absent if `bias` is
 * false); both from U(-1/√f, 1/√f) with `f = kernelSize · outChannels / groups`.
 * **Gradient**: with respect to input, weight and bias, of any order and for any stride and dilation, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new ConvTranspose1d(16, 8, 4, { stride: 2, padding: 1 });
 * const y = layer.call(tf.ones([2, 16, 50])); // [2, 8, 100]
 * ```
 * @see torch.nn.ConvTranspose1d
 */
export class ConvTranspose1d extends TransposedConvolution<readonly [number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'ConvTranspose1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, groups do not divide the
   * channels, outputPadding is not less than stride or dilation, or an option is unknown
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number],
    options: ConvTranspose1dOptions = {},
  ) {
    super(
      inChannels,
      outChannels,
      convTransposeOptions<readonly [number]>(
        'ConvTranspose1d',
        1,
        inChannels,
        outChannels,
        kernelSize,
        options,
      ),
    );
  }
}
