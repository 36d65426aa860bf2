import type { Tensor } from '@tensorflow/tfjs-core';
import { checkChoice } from '../../core/checkOptions.ts';
import type { ParametrizeError } from '../../core/errors.ts';
import { type MakeSteps, nonlinearities, rnnSteps } from './cellSteps.ts';
import { RecurrentCell, type RecurrentCellOptions } from './recurrentCell.ts';

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends RecurrentCellOptions {
  /** The activation function. Default `'tanh'`. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/**
 * One step of a plain recurrent network.
 *
 * `h' = tanh(Wᵢₕ·x + bᵢₕ + Wₕₕ·h + bₕₕ)`, or relu instead of tanh
 *
 * @remarks
 * **Shape**: input `[n, inputSize]` and state `[n, hiddenSize]`, or `[inputSize]` and `[hiddenSize]` without a batch;
 * the output has the shape of the state.
 * **State**: `weight_ih` `[hiddenSize, inputSize]`, `weight_hh` `[hiddenSize, hiddenSize]`, `bias_ih` and `bias_hh`
 * `[hiddenSize]` (absent if `bias` is false); all from U(-1/√hiddenSize, 1/√hiddenSize).
 * **Gradient**: with respect to input, state and all weights, of any order.
 * **Ownership**: `call` returns a new tensor; the caller disposes it, or `tf.tidy` does.
 *
 * A loop over steps reads each weight in each step. In `cached`, a parametrized weight is computed once.
 *
 * @example
 * ```ts
 * const cell = new RNNCell(3, 5);
 * const h = cell.call(tf.ones([7, 3])); // [7, 5]
 * ```
 * @see torch.nn.RNNCell
 */
export class RNNCell extends RecurrentCell {
  /** @internal Minifiers keep it. */
  static override readonly name: string = 'RNNCell';

  /** The function that makes h. */
  readonly nonlinearity: 'tanh' | 'relu';

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is not a positive integer or an option or its value is unknown
   */
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    // Checked before super makes the weights, which an error would leak.
    const nonlinearity = options?.nonlinearity ?? 'tanh';
    checkChoice('RNNCell', 'nonlinearity', nonlinearity, nonlinearities);
    super('RNNCell', 1, inputSize, hiddenSize, options, ['bias', 'nonlinearity']);
    this.nonlinearity = nonlinearity;
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
    return rnnSteps(this.nonlinearity);
  }

  /** Returns the sizes, and the nonlinearity if it is not tanh. */
  override extraRepr(): string {
    const nonlinearity = this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${this.nonlinearity}`;
    return `${super.extraRepr()}${nonlinearity}`;
  }
}
