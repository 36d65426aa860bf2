import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { lstmSteps, type MakeSteps } from './cellSteps.ts';
import { Recurrent, type RecurrentOptions } from './recurrent.ts';

/** Options of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions {}

/** The hidden state h and the cell state c. */
export type LSTMState = [h: Tensor, c: Tensor];

/**
 * A long short-term memory network.
 *
 * `i = σ(Wᵢᵢ·x + bᵢᵢ + Wₕᵢ·h + bₕᵢ)`, the same for f and o, `g = tanh(…)`; `c' = f⊙c + i⊙g`, `h' = o⊙tanh c'`, with the
 * rows of the weights in the order i, f, g, o.
 *
 * @remarks
 * **Shape**: input `[L, N, inputSize]` (`[N, L, inputSize]` with `batchFirst`) or `[L, inputSize]` without a batch;
 * state `[D·numLayers, N, hiddenSize]` each or `[D·numLayers, hiddenSize]`, where D is 2 with `bidirectional` and 1
 * without. Output `[output, [h, c]]`: the last layer's h at every step, `[L, N, D·hiddenSize]` laid out as the input,
 * and every layer's state after its last step, the forward direction before the backward one.
 * **State**: for each layer k `weight_ih_lk` `[4·hiddenSize, inputSize]` (`D·hiddenSize` columns in upper layers),
 * `weight_hh_lk` `[4·hiddenSize, hiddenSize]`, `bias_ih_lk` and `bias_hh_lk` `[4·hiddenSize]` (absent if `bias` is
 * false), and with `bidirectional` the same names with `_reverse`; all from U(-1/√hiddenSize, 1/√hiddenSize).
 * **Gradient**: with respect to input, state and all weights, of any order.
 * **Ownership**: `call` returns new tensors; the caller disposes them, or `tf.tidy` does.
 *
 * A forward pass reads every weight once, not once a step.
 *
 * @example
 * ```ts
 * const lstm = new LSTM(3, 5);
 * const [output, [h, c]] = lstm.call(tf.ones([6, 7, 3])); // [6, 7, 5], [1, 7, 5], [1, 7, 5]
 * ```
 * @see torch.nn.LSTM
 */
export class LSTM extends Recurrent {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'LSTM';

  /** @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option is unknown */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super('LSTM', 4, inputSize, hiddenSize, options);
  }

  /**
   * @param x - the sequence
   * @param state - h and c before the first step; default zeros
   * @throws {@link ParametrizeError} `SHAPE` if the input or a state does not fit
   */
  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): [output: Tensor, state: LSTMState] {
    return this.run(x, ['h', 'c'], state) as [Tensor, LSTMState];
  }

  protected get steps(): MakeSteps {
    return lstmSteps;
  }
}
