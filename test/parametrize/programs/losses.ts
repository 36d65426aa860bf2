import * as tf from '@tensorflow/tfjs-core';
import type { LossName } from './instructions.ts';

/** How a loss reads the weights of both layers, and what it differentiates by inside. */
export interface Weights {
  readonly read: readonly [() => tf.Tensor, () => tf.Tensor];
  readonly variables: tf.Variable[];
}

const x = [0.4, -0.3, 0.8, -0.6, 0.2, 0.5, 0.1, 0.9, -0.7, 0.3, -0.2, 0.6];

/** A small network of two layers: bounded, so that no step goes far. */
function network(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const hidden = tf.sin(tf.matMul(tf.tensor2d(x, [4, 3]), a as tf.Tensor2D, false, true));
  return tf.matMul(hidden as tf.Tensor2D, b as tf.Tensor2D, false, true);
}

const cost = (a: tf.Tensor, b: tf.Tensor): tf.Scalar =>
  tf.mean(tf.sin(tf.add(network(a, b), tf.tensor1d([0.1, 0.2, -0.3]))));

/** `Σ (∂f)²/10` over all variables, also those that f does not reach. */
function penalty(f: () => tf.Scalar, variables: tf.Variable[]): tf.Scalar {
  const { grads } = tf.engine().gradients(f, variables, undefined, true);
  const squares = (grads as (tf.Tensor | null)[])
    .filter((gradient) => gradient !== null && gradient !== undefined)
    .map((gradient) => tf.sum(tf.square(gradient)) as tf.Scalar);
  return tf.mul(0.1, tf.addN(squares));
}

/** The losses; each reads both weights as often in every evaluation. */
export const losses: Readonly<Record<LossName, (weights: Weights) => tf.Scalar>> = {
  plain: ({ read: [a, b] }) => cost(a(), b()),
  'two reads': ({ read: [a, b] }) => tf.add(cost(a(), b()), tf.mul(0.1, tf.sum(tf.square(tf.sin(a()))))),
  inside: ({ read: [a, b], variables }) => penalty(() => cost(a(), b()), variables),
  before({ read: [a, b], variables }) {
    const first = cost(a(), b());
    return tf.add(
      first,
      penalty(() => cost(a(), b()), variables),
    );
  },
  held({ read: [readA, readB], variables }) {
    const [a, b] = [readA(), readB()];
    return penalty(() => cost(a, b), variables);
  },
  everywhere({ read: [readA, readB], variables }) {
    const a = readA();
    const inner = penalty(() => cost(a, readB()), variables);
    return tf.add(tf.add(cost(a, readB()), inner), cost(readA(), readB()));
  },
  /** The product of the Hessian with fixed numbers: ∂⟨∂f, c⟩. */
  product({ read: [readA, readB], variables }) {
    const b = readB();
    const { grads } = tf.engine().gradients(() => cost(readA(), b), variables, undefined, true);
    const terms = (grads as (tf.Tensor | null)[])
      .filter((gradient) => gradient !== null && gradient !== undefined)
      .map((gradient) => {
        const flat = tf.reshape(gradient, [gradient.size]);
        return tf.sum(tf.mul(flat, tf.cos(tf.range(1, gradient.size + 1)))) as tf.Scalar;
      });
    return tf.mul(0.3, tf.addN(terms));
  },
};
