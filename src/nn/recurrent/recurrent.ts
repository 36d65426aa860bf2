import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkInteger, checkOptions, checkProbability } from '../../core/checkOptions.ts';
import type { ParametrizeError } from '../../core/errors.ts';
import { matMulNT } from '../../ops/matrix/matMul.ts';
import { transpose } from '../../ops/matrix/transpose.ts';
import { stack, unstack } from '../../ops/stack.ts';
import { zeroAtRandom } from '../dropout.ts';
import { uniformWithin } from '../init/random.ts';
import { affine } from '../linear/linear.ts';
import { holdsTensor } from '../module/fields.ts';
import { Module } from '../module/module.ts';
import { parameter } from '../module/parameter.ts';
import type { MakeSteps } from './cellSteps.ts';
import { checkSequenceInput } from './sequenceInput.ts';

/** Options that {@link RNN}, {@link LSTM} and {@link GRU} have in common. */
export interface RecurrentOptions {
  /** The number of layers; each gets the outputs of the layer below. Default 1. */
  readonly numLayers?: number;
  /** True if the cell has biases. Default true. */
  readonly bias?: boolean;
  /** True if the batch is the first axis of input and output, before the time. Default false. */
  readonly batchFirst?: boolean;
  /** The probability by which training zeroes the outputs of each layer but the last. Default 0. */
  readonly dropout?: number;
  /** True if each layer also runs over the sequence backwards, with separate weights. Default false. */
  readonly bidirectional?: boolean;
}

/** The names of the options, for a subclass with further ones. */
export const recurrentOptions = ['numLayers', 'bias', 'batchFirst', 'dropout', 'bidirectional'] as const;

type Layer = `l${number}` | `l${number}_reverse`;

/**
 * The base class of recurrent networks: weights by layer and direction, layouts, and the run over the sequence. A
 * subclass defines one step.
 */
export abstract class Recurrent extends Module {
  /** The size of the last axis of the input. */
  readonly inputSize: number;
  /** The size of h. */
  readonly hiddenSize: number;
  /** The number of layers. */
  readonly numLayers: number;
  /** True if the batch is the first axis. */
  readonly batchFirst: boolean;
  /** The probability that training zeroes an output between two layers. */
  readonly dropout: number;
  /** True if each layer also runs backwards. */
  readonly bidirectional: boolean;

  /** The weights of the lowest layer for the input. */
  declare weight_ih_l0: Tensor;
  /** The weights of the lowest layer for h. */
  declare weight_hh_l0: Tensor;
  /** The bias of the lowest layer that is added with the input; null if `bias` is false. */
  declare bias_ih_l0: Tensor | null;
  /** The bias of the lowest layer that is added with h; null if `bias` is false. */
  declare bias_hh_l0: Tensor | null;
  /** The weights of the layers above, and of the backward direction. */
  [weight: `weight_${'ih' | 'hh'}_${Layer}`]: Tensor;
  /** The biases of the layers above, and of the backward direction. */
  [bias: `bias_${'ih' | 'hh'}_${Layer}`]: Tensor | null;

  /**
   * @param gates - the number of blocks of `hiddenSize` rows of the weights
   */
  protected constructor(
    caller: string,
    gates: number,
    inputSize: number,
    hiddenSize: number,
    options: RecurrentOptions,
    known: readonly string[] = recurrentOptions,
  ) {
    super();
    checkInteger(caller, 'inputSize', inputSize);
    checkInteger(caller, 'hiddenSize', hiddenSize);
    checkOptions(caller, options, known);
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false } = options;
    checkInteger(caller, 'numLayers', numLayers);
    checkBoolean(caller, 'bias', bias);
    checkBoolean(caller, 'batchFirst', batchFirst);
    checkProbability(caller, 'dropout', dropout);
    checkBoolean(caller, 'bidirectional', bidirectional);
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    const bound = 1 / Math.sqrt(hiddenSize);
    const uniform = (...shape: number[]) => parameter(() => uniformWithin(shape, bound));
    for (const [layer, depth] of this.layers()) {
      const width = depth === 0 ? inputSize : hiddenSize * (bidirectional ? 2 : 1);
      this[`weight_ih_${layer}`] = uniform(gates * hiddenSize, width);
      this[`weight_hh_${layer}`] = uniform(gates * hiddenSize, hiddenSize);
      this[`bias_ih_${layer}`] = bias ? uniform(gates * hiddenSize) : null;
      this[`bias_hh_${layer}`] = bias ? uniform(gates * hiddenSize) : null;
    }
  }

  /** Makes the computation of one layer in one direction. */
  protected abstract readonly steps: MakeSteps;

  /**
   * Returns every layer in each direction, in the order of the weights and states, with the number of layers below it.
   */
  private layers(): [layer: Layer, depth: number][] {
    return Array.from({ length: this.numLayers }, (_, k): [Layer, number][] =>
      this.bidirectional
        ? [
            [`l${k}`, k],
            [`l${k}_reverse`, k],
          ]
        : [[`l${k}`, k]],
    ).flat();
  }

  /**
   * Runs over a sequence. Returns h of the last layer at every step, and the last states of all layers.
   *
   * @param names - the names of the states, h first
   * @param given - the states before the first step; default zeros
   * @throws {@link ParametrizeError} `SHAPE` if the input or a state does not fit
   */
  protected run(
    x: Tensor,
    names: readonly string[],
    given?: readonly Tensor[],
  ): [output: Tensor, states: Tensor[]] {
    checkSequenceInput(this, x, names, given);
    const batched = x.rank === 3;
    const swapped = this.batchFirst && batched;
    let sequence = batched ? (swapped ? tf.transpose(x, [1, 0, 2]) : x) : tf.expandDims(x, 1);
    const zeros = tf.zeros([sequence.shape[1]!, this.hiddenSize]);
    const first = names.map((_, i) => {
      const state = given?.[i];
      return state === undefined ? [] : unstack(batched ? state : tf.expandDims(state, 1));
    });
    const last: Tensor[][] = names.map(() => []);
    const layers = this.layers();
    const directions = this.bidirectional ? 2 : 1;
    for (let i = 0; i < layers.length; i += directions) {
      const outputs = layers.slice(i, i + directions).map(([layer], direction) => {
        const states = first.map((ofLayers) => ofLayers[i + direction] ?? zeros);
        const [output, ends] = this.runLayer(layer, sequence, states, direction === 1);
        ends.forEach((end, s) => {
          last[s]!.push(end);
        });
        return output;
      });
      sequence = outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 2);
      const isLast = i + directions === layers.length;
      if (this.training && !isLast) sequence = zeroAtRandom(sequence, this.dropout);
    }
    const states = last.map((ofLayers) => {
      const stacked = stack(ofLayers);
      return batched ? stacked : tf.squeeze(stacked, [1]);
    });
    const output = batched ? sequence : tf.squeeze(sequence, [1]);
    return [swapped ? tf.transpose(output, [1, 0, 2]) : output, states];
  }

  /** Runs one layer over a sequence `[L, N, …]` in one direction. Returns h at every step, and the last states. */
  private runLayer(
    layer: Layer,
    sequence: Tensor,
    states: Tensor[],
    isReversed: boolean,
  ): [output: Tensor, states: Tensor[]] {
    const [inputWeight, weight] = [this[`weight_ih_${layer}`]!, this[`weight_hh_${layer}`]!];
    const turned = transpose(weight);
    const { inputBias, parts, step } = this.steps(
      (h) => matMulNT(h, weight, turned),
      this[`bias_ih_${layer}`] ?? null,
      this[`bias_hh_${layer}`] ?? null,
      this.hiddenSize,
    );
    // One product covers the inputs of all steps. Only the part that depends on h has to wait for the previous step.
    const products = affine(sequence, inputWeight, inputBias);
    const split = parts === undefined ? [products] : tf.split(products, [...parts], 2);
    const ofParts = split.map(unstack);
    const length = sequence.shape[0]!;
    const outputs = new Array<Tensor>(length);
    for (let i = 0; i < length; i++) {
      const t = isReversed ? length - 1 - i : i;
      states = step(
        ofParts.map((part) => part[t]!),
        states,
      );
      outputs[t] = states[0]!;
    }
    return [stack(outputs), states];
  }

  override extraRepr(): string {
    const options = [`${this.inputSize}`, `${this.hiddenSize}`];
    if (this.numLayers !== 1) options.push(`numLayers=${this.numLayers}`);
    if (!holdsTensor(this, 'bias_ih_l0')) options.push('bias=false');
    if (this.batchFirst) options.push('batchFirst=true');
    if (this.dropout !== 0) options.push(`dropout=${this.dropout}`);
    if (this.bidirectional) options.push('bidirectional=true');
    return options.join(', ');
  }
}
