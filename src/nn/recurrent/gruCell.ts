import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { gruSteps, type MakeSteps } from './cellSteps.ts';
import { RecurrentCell, type RecurrentCellOptions } from './recurrentCell.ts';

/** Options of {@link GRUCell}. */
export interface GRUCellOptions extends RecurrentCellOptions {}

/**
 * One step of a network of gated recurrent units.
 *
 * `r = σ(Wᵢᵣ·x + bᵢᵣ + Wₕᵣ·h + bₕᵣ)`, z likewise, `n = tanh(Wᵢₙ·x + bᵢₙ + r⊙(Wₕₙ·h + bₕₙ))`,
 * `h' = (1 - z)⊙n + z⊙h`, with the rows of the weights in the order r, z, n.
 *
 * @remarks
 * **Shape**: input `[n, inputSize]` and state `[n, hiddenSize]`, or `[inputSize]` and `[hiddenSize]` without a batch;
 * the output has the shape of the state.
 * **State**: `weight_ih` `[3·hiddenSize, inputSize]`, `weight_hh` `[3·hiddenSize, hiddenSize]`, `bias_ih` and `bias_hh`
 * `[3·hiddenSize]` (absent if `bias` is false); all from U(-1/√hiddenSize, 1/√hiddenSize).
 * **Gradient**: with respect to input, state and all weights, of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * A loop over steps reads each weight in each step. In `cached`, a parametrized weight is computed once.
 *
 * @example
 * ```ts
 * const cell = new GRUCell(3, 5);
 * const h = cell.call(tf.ones([7, 3])); // [7, 5]
 * ```
 * @see torch.nn.GRUCell
 */
export class GRUCell extends RecurrentCell {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'GRUCell';

  /** @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option is unknown */
  constructor(inputSize: number, hiddenSize: number, options: GRUCellOptions = {}) {
    super('GRUCell', 3, inputSize, hiddenSize, options);
  }

  /**
   * @param x - the input of the step
   * @param h - the state before the step; default zeros
   * @throws {@link ParametrizeError} `SHAPE` if the input or the state does not fit
   */
  forward(x: Tensor, h?: Tensor): Tensor {
    return this.stepOf(x, ['h'], h && [h])[0]!;
  }

  protected get steps(): MakeSteps {
    return gruSteps;
  }
}
