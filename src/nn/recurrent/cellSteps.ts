import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { sigmoid, tanh } from '../../ops/smooth.ts';
import { plusBias } from '../linear/linear.ts';

// The steps that networks over sequences and cells for single steps share.

/** Computes the states after a step, h first, from the products with its input and the states before it. */
type Step = (gates: readonly Tensor[], states: readonly Tensor[]) => Tensor[];

/** `h·Wₕₕᵀ` */
type TimesWeight = (h: Tensor) => Tensor;

/** The computation of one layer in one direction. */
interface CellSteps {
  /** The bias that is added to the products with the inputs of all steps at once, or null. */
  readonly inputBias: Tensor | null;
  /** The sizes of the parts that these products are split into, once for all steps. Default one part. */
  readonly parts?: readonly number[];
  readonly step: Step;
}

/** Makes the computation of a layer from the product with its weights for h, its biases and the size of h. */
export type MakeSteps = (
  timesWeight: TimesWeight,
  inputBias: Tensor | null,
  stateBias: Tensor | null,
  hiddenSize: number,
) => CellSteps;

/** The activation functions of a plain network. */
export const nonlinearities = ['tanh', 'relu'] as const;

/** `h' = tanh(Wᵢₕ·x + bᵢₕ + Wₕₕ·h + bₕₕ)`, or relu instead of tanh. */
export const rnnSteps =
  (nonlinearity: (typeof nonlinearities)[number]): MakeSteps =>
  (timesWeight, inputBias, stateBias) => {
    const activation = nonlinearity === 'tanh' ? tanh : (x: Tensor): Tensor => tf.relu(x);
    return {
      inputBias: sumOfBiases(inputBias, stateBias),
      step: ([input], [h]) => [activation(tf.add(input!, timesWeight(h!)))],
    };
  };

/** `c' = σ(f)⊙c + σ(i)⊙tanh(g)`, `h' = σ(o)⊙tanh(c')`, with the rows in the order i, f, g, o. */
export const lstmSteps: MakeSteps = (timesWeight, inputBias, stateBias) => ({
  inputBias: sumOfBiases(inputBias, stateBias),
  step: ([input], [h, c]) => {
    const gates = tf.add(input!, timesWeight(h!));
    const [i, f, g, o] = tf.split(gates, 4, 1) as [Tensor, Tensor, Tensor, Tensor];
    const next = tf.add(tf.mul(sigmoid(f), c!), tf.mul(sigmoid(i), tanh(g)));
    return [tf.mul(sigmoid(o), tanh(next)), next];
  },
});

/** `h' = (1 - z)⊙n + z⊙h`, `n = tanh(Wᵢₙ·x + bᵢₙ + r⊙(Wₕₙ·h + bₕₙ))`, with the rows in the order r, z, n. */
export const gruSteps: MakeSteps = (timesWeight, inputBias, stateBias, hiddenSize) => {
  const parts = [2 * hiddenSize, hiddenSize];
  return {
    inputBias,
    parts,
    step: ([inputGates, inputNew], [h]) => {
      const state = plusBias(timesWeight(h!), stateBias);
      const [stateGates, stateNew] = tf.split(state, parts, 1) as [Tensor, Tensor];
      const gates = sigmoid(tf.add(inputGates!, stateGates));
      const [r, z] = tf.split(gates, 2, 1) as [Tensor, Tensor];
      const n = tanh(tf.add(inputNew!, tf.mul(r, stateNew)));
      return [tf.add(n, tf.mul(z, tf.sub(h!, n)))];
    },
  };
};

/** Returns the sum of two biases. Both are null or neither is. */
const sumOfBiases = (a: Tensor | null, b: Tensor | null): Tensor | null =>
  a === null || b === null ? (a ?? b) : tf.add(a, b);
