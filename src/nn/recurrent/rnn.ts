import type { Tensor } from '@tensorflow/tfjs-core';
import { checkChoice } from '../../core/checkOptions.ts';
import type { ParametrizeError } from '../../core/errors.ts';
import { type MakeSteps, nonlinearities, rnnSteps } from './cellSteps.ts';
import { Recurrent, type RecurrentOptions, recurrentOptions } from './recurrent.ts';

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** The activation function. Default `'tanh'`. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/**
 * A plain recurrent network.
 *
 * `h' = tanh(Wᵢₕ·x + bᵢₕ + Wₕₕ·h + bₕₕ)`, or relu instead of tanh
 *
 * @remarks
 * **Shape**: input `[L, N, inputSize]` (`[N, L, inputSize]` with `batchFirst`) or `[L, inputSize]` without a batch;
 * state `[D·numLayers, N, hiddenSize]` or `[D·numLayers, hiddenSize]`, where D is 2 with `bidirectional` and 1 without.
 * Output `[output, h]`: the last layer's h at every step, `[L, N, D·hiddenSize]` laid out as the input, and every
 * layer's h after its last step, the forward direction before the backward one.
 * **State**: for each layer k `weight_ih_lk` `[hiddenSize, inputSize]` (`D·hiddenSize` columns in upper layers),
 * `weight_hh_lk` `[hiddenSize, hiddenSize]`, `bias_ih_lk` and `bias_hh_lk` `[hiddenSize]` (absent if `bias` is false),
 * and with `bidirectional` the same names with `_reverse`; all from U(-1/√hiddenSize, 1/√hiddenSize).
 * **Gradient**: with respect to input, state and all weights, of any order.
 * **Ownership**: `call` returns new tensors; the caller disposes them, or `tf.tidy` does.
 *
 * A forward pass reads every weight once, not once a step.
 *
 * @example
 * ```ts
 * const rnn = new RNN(3, 5, { nonlinearity: 'relu' });
 * const [output, h] = rnn.call(tf.ones([6, 7, 3])); // [6, 7, 5], [1, 7, 5]
 * ```
 * @see torch.nn.RNN
 */
export class RNN extends Recurrent {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'RNN';

  /** The function that makes h of a step. */
  readonly nonlinearity: 'tanh' | 'relu';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option or its value is unknown
   */
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    // Checked before super makes the weights, which an error would leak.
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    checkChoice('RNN', 'nonlinearity', nonlinearity, nonlinearities);
    super('RNN', 1, inputSize, hiddenSize, options, [...recurrentOptions, 'nonlinearity']);
    this.nonlinearity = nonlinearity;
  }

  /**
   * @param x - the sequence
   * @param state - h before the first step; default zeros
   * @throws {@link ParametrizeError} `SHAPE` if the input or the state does not fit
   */
  forward(x: Tensor, state?: Tensor): [output: Tensor, h: Tensor] {
    const [output, [h]] = this.run(x, ['h'], state && [state]);
    return [output, h!];
  }

  protected get steps(): MakeSteps {
    return rnnSteps(this.nonlinearity);
  }
}
