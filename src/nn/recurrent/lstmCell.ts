import type { Tensor } from '@tensorflow/tfjs-core';
import type { ParametrizeError } from '../../core/errors.ts';
import { lstmSteps, type MakeSteps } from './cellSteps.ts';
import type { LSTMState } from './lstm.ts';
import { RecurrentCell, type RecurrentCellOptions } from './recurrentCell.ts';

/** Options of {@link LSTMCell}. */
export interface LSTMCellOptions extends RecurrentCellOptions {}

/**
 * One step of a long short-term memory network.
 *
 * `i = σ(Wᵢᵢ·x + bᵢᵢ + Wₕᵢ·h + bₕᵢ)`, f and o likewise, `g = tanh(…)`; `c' = f⊙c + i⊙g`, `h' = o⊙tanh c'`, with the
 * rows of the weights in the order i, f, g, o.
 *
 * @remarks
 * **Shape**: input `[n, inputSize]` and states `[n, hiddenSize]` each, or `[inputSize]` and `[hiddenSize]` without a
 * batch; the output is `[h, c]`, each with the state's shape.
 * **State**: `weight_ih` `[4·hiddenSize, inputSize]`, `weight_hh` `[4·hiddenSize, hiddenSize]`, `bias_ih` and `bias_hh`
 * `[4·hiddenSize]` (absent if `bias` is false); all from U(-1/√hiddenSize, 1/√hiddenSize).
 * **Gradient**: with respect to input, states and all weights, of any order.
 * **Ownership**: `call` returns new tensors; the caller disposes them, or `tf.tidy` does.
 *
 * A loop over steps reads each weight in each step. In `cached`, a parametrized weight is computed once.
 *
 * @example
 * ```ts
 * const cell = new LSTMCell(3, 5);
 * const [h, c] = cell.call(tf.ones([7, 3])); // [7, 5], [7, 5]
 * ```
 * @see torch.nn.LSTMCell
 */
export class LSTMCell extends RecurrentCell {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'LSTMCell';

  /** @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option is unknown */
  constructor(inputSize: number, hiddenSize: number, options: LSTMCellOptions = {}) {
    super('LSTMCell', 4, inputSize, hiddenSize, options);
  }

  /**
   * @param x - the input of the step
   * @param state - h and c before the step; default zeros
   * @throws {@link ParametrizeError} `SHAPE` if the input or a state does not fit
   */
  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): LSTMState {
    return this.stepOf(x, ['h', 'c'], state) as LSTMState;
  }

  protected get steps(): MakeSteps {
    return lstmSteps;
  }
}
