import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { gruSteps, type MakeSteps } from './cellSteps.ts';
import { Recurrent, type RecurrentOptions } from './recurrent.ts';

/** Options of {@link GRU}. */
export interface GRUOptions extends RecurrentOptions {}

/**
 * A network of gated recurrent units.
 *
 * `r = σ(Wᵢᵣ·x + bᵢᵣ + Wₕᵣ·h + bₕᵣ)`, z likewise, `n = tanh(Wᵢₙ·x + bᵢₙ + r⊙(Wₕₙ·h + bₕₙ))`,
 * `h' = (1 - z)⊙n + z⊙h`, with the rows of the weights in the order r, z, n.
 *
 * @remarks
 * **Shape**: input `[L, N, inputSize]` (`[N, L, inputSize]` with `batchFirst`) or `[L, inputSize]` without a batch;
 * state `[D·numLayers, N, hiddenSize]` or `[D·numLayers, hiddenSize]`, where D is 2 with `bidirectional` and 1 without.
 * Output `[output, h]`: the last layer's h at every step, `[L, N, D·hiddenSize]` laid out as the input, and every
 * layer's h after its last step, the forward direction before the backward one.
 * **State**: for each layer k `weight_ih_lk` `[3·hiddenSize, inputSize]` (`D·hiddenSize` columns in upper layers),
 * `weight_hh_lk` `[3·hiddenSize, hiddenSize]`, `bias_ih_lk` and `bias_hh_lk` `[3·hiddenSize]` (absent if `bias` is
 * false), and with `bidirectional` the same names with `_reverse`; all from U(-1/√hiddenSize, 1/√hiddenSize).
 * **Gradient**: with respect to input, state and all weights, of any order.
 * **Ownership**: `call` returns new tensors; the caller disposes them, or `tf.tidy` does.
 *
 * A forward pass reads every weight once, not once a step. The reset gate r multiplies the product with h after bₕₙ is
 * added; Keras calls this `resetAfter`.
 *
 * @example
 * ```ts
 * const gru = new GRU(3, 5, { bidirectional: true });
 * const [output, h] = gru.call(tf.ones([6, 7, 3])); // [6, 7, 10], [2, 7, 5]
 * ```
 * @see torch.nn.GRU
 */
export class GRU extends Recurrent {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'GRU';

  /** @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option is unknown */
  constructor(inputSize: number, hiddenSize: number, options: GRUOptions = {}) {
    super('GRU', 3, inputSize, hiddenSize, options);
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
    return gruSteps;
  }
}
