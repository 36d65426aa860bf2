import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { formatShape, ParametrizeError } from '../errors.ts';
import { sigmoid, tanh } from '../linalg/smooth.ts';
import { holdsTensor } from './fields.ts';
import { affine } from './linear.ts';
import { Module } from './module.ts';
import { checkBoolean, checkInteger, checkOptions } from './options.ts';
import { parameter } from './parameter.ts';
import { uniformWithin } from './random.ts';

/** Options of {@link LSTM}. */
export interface LSTMOptions {
  /** Whether the gates have biases. Default true. */
  readonly bias?: boolean;
  /** Whether the batch is the first axis of input and output, before the time. Default false. */
  readonly batchFirst?: boolean;
  /** How many layers stand on each other, each on the outputs of the one below. Default 1. */
  readonly numLayers?: number;
}

/** The hidden state h and the cell state c. */
export type LSTMState = [h: Tensor, c: Tensor];

/**
 * A long short-term memory network.
 *
 * `i = σ(Wᵢᵢ·x + bᵢᵢ + Wₕᵢ·h + bₕᵢ)`, f and o likewise, `g = tanh(…)`; `c' = f⊙c + i⊙g`, `h' = o⊙tanh c'`, with the
 * rows of the weights in the order i, f, g, o.
 *
 * @remarks
 * **Shape**: input `[L, N, inputSize]` (`[N, L, inputSize]` with `batchFirst`) or `[L, inputSize]` without a batch;
 * state `[numLayers, N, hiddenSize]` each or `[numLayers, hiddenSize]`. Output `[output, [h, c]]`: the last layer's h at
 * every step, `[L, N, hiddenSize]` laid out as the input, and every layer's state after the last step.
 * **State**: for each layer k `weight_ih_lk` `[4·hiddenSize, inputSize]` (of layers above `hiddenSize` wide),
 * `weight_hh_lk` `[4·hiddenSize, hiddenSize]`, `bias_ih_lk` and `bias_hh_lk` `[4·hiddenSize]` (absent without bias);
 * all from U(-1/√hiddenSize, 1/√hiddenSize).
 * **Gradient**: with respect to input, state and all weights, of any order.
 * **Ownership**: `call` returns new tensors; the caller disposes them, or `tf.tidy` does.
 *
 * Every weight is read once in a forward pass, not once a step.
 *
 * @example
 * ```ts
 * const lstm = new LSTM(3, 5);
 * const [output, [h, c]] = lstm.call(tf.ones([6, 7, 3])); // [6, 7, 5], [1, 7, 5], [1, 7, 5]
 * ```
 * @see torch.nn.LSTM
 */
export class LSTM extends Module {
  /** Size of the last axis of the input. */
  readonly inputSize: number;
  /** Size of h and c. */
  readonly hiddenSize: number;
  /** Number of layers. */
  readonly numLayers: number;
  /** Whether the batch is the first axis. */
  readonly batchFirst: boolean;

  /** The weights of the lowest layer for the input. */
  declare weight_ih_l0: Tensor;
  /** The weights of the lowest layer for h. */
  declare weight_hh_l0: Tensor;
  /** The bias of the lowest layer that is added with the input; null if `bias` is false. */
  declare bias_ih_l0: Tensor | null;
  /** The bias of the lowest layer that is added with h; null if `bias` is false. */
  declare bias_hh_l0: Tensor | null;
  /** The weights of the layers above. */
  [weight: `weight_${'ih' | 'hh'}_l${number}`]: Tensor;
  /** The biases of the layers above. */
  [bias: `bias_${'ih' | 'hh'}_l${number}`]: Tensor | null;

  /**
   * @throws {@link ParametrizeError} `OPTION` if a size is no positive integer or an option is unknown
   */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super();
    checkInteger('LSTM', 'inputSize', inputSize);
    checkInteger('LSTM', 'hiddenSize', hiddenSize);
    checkOptions('LSTM', options, ['bias', 'batchFirst', 'numLayers']);
    const { bias = true, batchFirst = false, numLayers = 1 } = options;
    checkBoolean('LSTM', 'bias', bias);
    checkBoolean('LSTM', 'batchFirst', batchFirst);
    checkInteger('LSTM', 'numLayers', numLayers);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    const bound = 1 / Math.sqrt(hiddenSize);
    const uniform = (...shape: number[]) => parameter(() => uniformWithin(shape, bound));
    for (let k = 0; k < numLayers; k++) {
      this[`weight_ih_l${k}`] = uniform(4 * hiddenSize, k === 0 ? inputSize : hiddenSize);
      this[`weight_hh_l${k}`] = uniform(4 * hiddenSize, hiddenSize);
      this[`bias_ih_l${k}`] = bias ? uniform(4 * hiddenSize) : null;
      this[`bias_hh_l${k}`] = bias ? uniform(4 * hiddenSize) : null;
    }
  }

  /**
   * @param x - the sequence
   * @param state - h and c before the first step; default zeros
   * @throws {@link ParametrizeError} `SHAPE` if the input or a state does not fit
   */
  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): [output: Tensor, state: LSTMState] {
    this.checkShapes(x, state);
    const batched = x.rank === 3;
    const timeFirst = this.batchFirst && batched ? tf.transpose(x, [1, 0, 2]) : x;
    let sequence = batched ? timeFirst : tf.expandDims(timeFirst, 1);
    const batch = sequence.shape[1]!;
    const zeros = tf.zeros([batch, this.hiddenSize]);
    const [h0, c0] = (state ?? []).map((s) => tf.unstack(batched ? s : tf.expandDims(s, 1)));
    const last: Tensor[][] = [[], []];
    for (let k = 0; k < this.numLayers; k++) {
      const [output, h, c] = this.runLayer(k, sequence, h0?.[k] ?? zeros, c0?.[k] ?? zeros);
      sequence = output;
      last[0]!.push(h);
      last[1]!.push(c);
    }
    const [h, c] = last.map((layers) => {
      const stacked = tf.stack(layers);
      return batched ? stacked : tf.squeeze(stacked, [1]);
    }) as [Tensor, Tensor];
    const output = batched ? sequence : tf.squeeze(sequence, [1]);
    return [this.batchFirst && batched ? tf.transpose(output, [1, 0, 2]) : output, [h, c]];
  }

  /** One layer over a whole sequence `[L, N, …]`: the h of every step, and the last h and c. */
  private runLayer(k: number, sequence: Tensor, h: Tensor, c: Tensor): [Tensor, Tensor, Tensor] {
    const inputBias = this[`bias_ih_l${k}`] ?? null;
    const stateBias = this[`bias_hh_l${k}`] ?? null;
    const bias = inputBias && stateBias ? tf.add(inputBias, stateBias) : (inputBias ?? stateBias);
    // One product for the inputs of all steps; only W_hh·h has to wait for the step before.
    const inputs = tf.unstack(affine(sequence, this[`weight_ih_l${k}`]!, bias));
    const weight = this[`weight_hh_l${k}`]! as tf.Tensor2D;
    const outputs: Tensor[] = [];
    for (const input of inputs) {
      const gates = tf.add(input, tf.matMul(h as tf.Tensor2D, weight, false, true));
      const [i, f, g, o] = tf.split(gates, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
      c = tf.add(tf.mul(sigmoid(f), c), tf.mul(sigmoid(i), tanh(g)));
      h = tf.mul(sigmoid(o), tanh(c));
      outputs.push(h);
    }
    return [tf.stack(outputs), h, c];
  }

  private checkShapes(x: Tensor, state: readonly Tensor[] | undefined): void {
    const fail = (fact: string, remedy: string) => new ParametrizeError('SHAPE', `LSTM: ${fact}. ${remedy}`);
    const layout = this.batchFirst ? '[batch, time, inputSize]' : '[time, batch, inputSize]';
    if ((x.rank !== 2 && x.rank !== 3) || x.shape.at(-1) !== this.inputSize) {
      throw fail(
        `the input has shape ${formatShape(x.shape)}, inputSize is ${this.inputSize}`,
        `Pass an input of shape ${layout}, or [time, inputSize] without a batch.`,
      );
    }
    const batched = x.rank === 3;
    if (x.shape[batched && this.batchFirst ? 1 : 0] === 0) {
      throw fail(
        `the input has shape ${formatShape(x.shape)}, no steps`,
        `Pass at least one step, ${layout}.`,
      );
    }
    const batch = batched ? [x.shape[this.batchFirst ? 0 : 1]!] : [];
    const wanted = [this.numLayers, ...batch, this.hiddenSize];
    for (const [i, tensor] of (state ?? []).entries()) {
      if (tf.util.arraysEqual(tensor.shape, wanted)) continue;
      throw fail(
        `the state ${i === 0 ? 'h' : 'c'} has shape ${formatShape(tensor.shape)}, the input needs ${formatShape(wanted)}`,
        'Pass [h, c] of shape [numLayers, batch, hiddenSize] each, without the batch where the input has none.',
      );
    }
  }

  override extraRepr(): string {
    const options = [`${this.inputSize}`, `${this.hiddenSize}`];
    if (this.numLayers !== 1) options.push(`numLayers=${this.numLayers}`);
    if (!holdsTensor(this, 'bias_ih_l0')) options.push('bias=false');
    if (this.batchFirst) options.push('batchFirst=true');
    return options.join(', ');
  }
}
