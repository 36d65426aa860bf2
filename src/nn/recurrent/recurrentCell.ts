import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkOptions } from '../../core/checkOptions.ts';
import { refusal } from '../../core/errors.ts';
import { formatShape } from '../../core/shapes.ts';
import { typeName } from '../../core/text.ts';
import { matMulNT } from '../../ops/matrix/matMul.ts';
import { uniformWithin } from '../init/random.ts';
import { affine } from '../linear/linear.ts';
import { holdsTensor } from '../module/fields.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';
import type { MakeSteps } from './cellSteps.ts';

/** Options that {@link RNNCell}, {@link LSTMCell} and {@link GRUCell} have in common. */
export interface RecurrentCellOptions {
  /** True if the cell has biases. Default true. */
  readonly bias?: boolean;
}

/** The base class of the cells that compute one step: weights, layouts and checks. */
export abstract class RecurrentCell extends Module {
  /** The size of the last axis of the input. */
  readonly inputSize: number;
  /** The size of h. */
  readonly hiddenSize: number;
  /** The weights for the input. */
  weight_ih: Tensor;
  /** The weights for h. */
  weight_hh: Tensor;
  /** The bias that is added with the input; null if `bias` is false. */
  bias_ih: Tensor | null;
  /** The bias that is added with h; null if `bias` is false. */
  bias_hh: Tensor | null;

  /** @param gates - the number of blocks of `hiddenSize` rows of the weights */
  protected constructor(
    caller: string,
    gates: number,
    inputSize: number,
    hiddenSize: number,
    options: RecurrentCellOptions,
    known: readonly string[] = ['bias'],
  ) {
    super();
    checkInteger(caller, 'inputSize', inputSize);
    checkInteger(caller, 'hiddenSize', hiddenSize);
    checkOptions(caller, options, known);
    const { bias = true } = options;
    checkBoolean(caller, 'bias', bias);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    const bound = 1 / Math.sqrt(hiddenSize);
    const uniform = (...shape: number[]) => parameter(() => uniformWithin(shape, bound));
    this.weight_ih = uniform(gates * hiddenSize, inputSize);
    this.weight_hh = uniform(gates * hiddenSize, hiddenSize);
    this.bias_ih = bias ? uniform(gates * hiddenSize) : null;
    this.bias_hh = bias ? uniform(gates * hiddenSize) : null;
  }

  /** Makes the computation of a step. */
  protected abstract readonly steps: MakeSteps;

  /**
   * Returns the states after one step.
   *
   * @param names - the names of the states, h first
   * @param given - the states before the step; default zeros
   * @throws {@link ParametrizeError} `SHAPE` if the input or a state does not fit
   */
  protected stepOf(x: Tensor, names: readonly string[], given?: readonly Tensor[]): Tensor[] {
    this.checkInput(x, names, given);
    const isBatch = x.rank === 2;
    const rows = isBatch ? x : tf.expandDims(x, 0);
    const states = names.map((_, i) => {
      const state = given?.[i];
      if (state === undefined) return tf.zeros([rows.shape[0]!, this.hiddenSize]);
      return isBatch ? state : tf.expandDims(state, 0);
    });
    const weight = this.weight_hh;
    const { inputBias, parts, step } = this.steps(
      (h) => matMulNT(h, weight),
      this.bias_ih,
      this.bias_hh,
      this.hiddenSize,
    );
    const product = affine(rows, this.weight_ih, inputBias);
    const after = step(parts === undefined ? [product] : tf.split(product, [...parts], 1), states);
    return isBatch ? after : after.map((state) => tf.squeeze(state, [0]));
  }

  private checkInput(x: Tensor, names: readonly string[], given: readonly Tensor[] | undefined): void {
    const { inputSize, hiddenSize } = this;
    const caller = typeName(this);
    if ((x.rank !== 1 && x.rank !== 2) || x.shape.at(-1) !== inputSize) {
      throw refusal(
        'SHAPE',
        caller,
        `the input has shape ${formatShape(x.shape)}, inputSize is ${inputSize}`,
        'Pass an input of shape [batch, inputSize], or [inputSize] without a batch.',
      );
    }
    if (given === undefined) return;
    if (!Array.isArray(given) || given.length !== names.length) {
      throw refusal(
        'SHAPE',
        caller,
        `the state is ${Array.isArray(given) ? `an array of ${given.length}` : typeName(given)}, there are ${names.length}: ${names.join(', ')}`,
        `Pass [${names.join(', ')}].`,
      );
    }
    const wanted = [...x.shape.slice(0, -1), hiddenSize];
    for (const [i, state] of (given as readonly Tensor[]).entries()) {
      const isTensor = state instanceof tf.Tensor;
      if (isTensor && tf.util.arraysEqual(state.shape, wanted)) continue;
      throw refusal(
        'SHAPE',
        caller,
        `the state ${names[i]} ${isTensor ? `has shape ${formatShape(state.shape)}` : `is ${typeName(state)}`}, the input needs ${formatShape(wanted)}`,
        'Pass a state of shape [batch, hiddenSize], without the batch where the input has none.',
      );
    }
  }

  override extraRepr(): string {
    const bias = holdsTensor(this, 'bias_ih') ? '' : ', bias=false';
    return `${this.inputSize}, ${this.hiddenSize}${bias}`;
  }
}
