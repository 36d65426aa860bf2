import type { ParametrizeError } from '../../core/errors.ts';
import { type ConvOptions, convOptions, type PaddingOrCausal } from './convOptions.ts';
import { Convolution } from './convolution.ts';

/** Options of {@link Conv1d}. */
export interface Conv1dOptions extends Omit<ConvOptions<readonly [number]>, 'padding'> {
  /**
   * The number of elements added on both sides of the input; `'same'` for an output as large as the input, `'valid'`
   * for none, `'causal'` for `dilation · (kernelSize − 1)` at the beginning only. Default 0.
   */
  readonly padding?: PaddingOrCausal<number | readonly [number]>;
}

/**
 * A convolution over sequences, without flipping the kernel, as in every deep-learning library.
 *
 * `y[n, o, t] = b[o] + Σ꜀ᵢ W[o, c, i] · x[n, c, t·stride + i·dilation − padding]`, with c over the channels of o's
 * group
 *
 * @remarks
 * **Shape**: input `[n, inChannels, length]`, or `[inChannels, length]` without a batch; output `[n, outChannels, l]`
 * or `[outChannels, l]` with `l = ⌊(length + 2·padding − dilation·(kernelSize − 1) − 1) / stride⌋ + 1`. With padding
 * `'same'`, `l = length`; if the number of zeros is odd, the last one is at the end. With padding `'causal'`,
 * `l = ⌊(length − 1) / stride⌋ + 1`, and `y[n, o, t]` depends on x up to position `t·stride` only. torch has no causal
 * padding; it takes a `ConstantPad1d([dilation · (kernelSize − 1), 0])` before the convolution.
 * **State**: `weight` `[outChannels, inChannels / groups, kernelSize]`, `bias` `[outChannels]` (absent if `bias` is
 * false); both from U(-1/√f, 1/√f) with `f = kernelSize · inChannels / groups`.
 * **Gradient**: with respect to input, weight and bias, of any order and for any stride and dilation, on every backend.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * @example
 * ```ts
 * const layer = new Conv1d(16, 32, 3, { padding: 'same', dilation: 2 });
 * const y = layer.call(tf.ones([8, 16, 100])); // [8, 32, 100]
 * ```
 * @see torch.nn.Conv1d
 */
export class Conv1d extends Convolution<readonly [number]> {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'Conv1d';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not an integer in its range, groups do not divide the
   * channels, padding is `'same'` with a stride other than 1, padding is `'causal'` with a paddingMode that takes later
   * elements, or an option is unknown
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number | readonly [number],
    options: Conv1dOptions = {},
  ) {
    super(
      inChannels,
      outChannels,
      convOptions<readonly [number]>('Conv1d', 1, inChannels, outChannels, kernelSize, options),
    );
  }
}
