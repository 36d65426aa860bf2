import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { stopGradient } from '../stopGradient.ts';

/** The mean and variance along some axes, which stay with size 1. */
export interface Moments {
  readonly mean: Tensor;
  /** The mean of the squared differences: the sum is divided by n, not by n - 1. */
  readonly variance: Tensor;
}

/**
 * Returns the mean and variance of x along some axes, as constants for gradients. {@link standardize} has its own
 * gradient.
 */
export function moments(x: Tensor, axes: readonly number[]): Moments {
  const mean = stopGradient(() => meanOver(x, axes));
  return { mean, variance: stopGradient(() => meanOver(tf.squaredDifference(x, mean), axes)) };
}

/**
 * Computes `x̂ = (x - μ) / √(σ² + ε)`, with μ and σ² over some axes and a gradient of any order.
 *
 * Its derivative `J·v = (v - v̄ - x̂·mean(v·x̂)) / √(σ² + ε)` is symmetric. On wasm it takes half the time of
 * differentiating each operation of the formula.
 *
 * @param known - μ and σ² of this x, if the caller has computed them
 */
export function standardize(
  x: Tensor,
  axes: readonly number[],
  epsilon: number,
  known: Moments = moments(x, axes),
): Tensor {
  const { mean } = known;
  const std = stopGradient(() => tf.sqrt(tf.add(known.variance, epsilon)));
  const op = tf.customGrad((...inputs) => {
    const [input, save] = inputs as [Tensor, tf.GradSaveFunc];
    const result = tf.div(tf.sub(input, mean), std);
    save([input, mean, std]);
    return {
      value: result,
      gradFunc: (dy, saved) => {
        const [input, mean, std] = saved as Tensor[] as [Tensor, Tensor, Tensor];
        return pullBack(dy, input, { axes, epsilon, mean, std });
      },
    };
  });
  return op(x);
}

interface Statistics {
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly mean: Tensor;
  readonly std: Tensor;
}

/**
 * Computes `J·v` at x. Its derivative with respect to v is J again; its derivative with respect to x needs J·u and J·v.
 */
function pullBack(v: Tensor, x: Tensor, statistics: Statistics): Tensor {
  const { axes, epsilon, mean, std } = statistics;
  const op = tf.customGrad((...inputs) => {
    const [v, x, save] = inputs as [Tensor, Tensor, tf.GradSaveFunc];
    const y = tf.div(tf.sub(x, mean), std);
    const along = tf.mul(y, meanOver(tf.mul(v, y), axes));
    const result = tf.div(tf.sub(tf.sub(v, meanOver(v, axes)), along), std);
    save([v, x, mean, std]);
    return {
      value: result,
      gradFunc: (u, saved) => {
        const [v, x, ...numbers] = saved as Tensor[] as [Tensor, Tensor, Tensor, Tensor];
        const [savedMean, savedStd] = numbers;
        const same = { axes, epsilon, mean: savedMean, std: savedStd };
        const [Ju, Jv] = [pullBack(u, x, same), pullBack(v, x, same)];
        const y = standardize(x, axes, epsilon);
        const overMean = (a: Tensor, b: Tensor) => meanOver(tf.mul(a, b), axes);
        const terms = [tf.mul(y, overMean(u, Jv)), tf.mul(Jv, overMean(u, y)), tf.mul(Ju, overMean(v, y))];
        return [Ju, tf.neg(tf.div(tf.addN(terms), standardDeviation(x, axes, epsilon)))];
      },
    };
  });
  return op(v, x);
}

/** `√(σ² + ε)`, as a function of x that can be differentiated. */
function standardDeviation(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  return tf.sqrt(tf.add(meanOver(tf.square(tf.sub(x, meanOver(x, axes))), axes), epsilon));
}

/**
 * Returns the mean over some axes, which stay with size 1. The last axis comes first, because wasm reduces it without a
 * transpose of the whole tensor.
 */
function meanOver(x: Tensor, axes: readonly number[]): Tensor {
  return [...axes].sort((a, b) => b - a).reduce((t: Tensor, axis) => tf.mean(t, axis, true), x);
}
