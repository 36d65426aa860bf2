import * as tf from '@tensorflow/tfjs-core';
import { affine } from './specimens.ts';

/** A loss of the weight and the bias; `variables` is what it differentiates by inside. */
export type Loss = (
  x: tf.Tensor,
  weight: () => tf.Tensor,
  bias: tf.Tensor,
  variables: tf.Variable[],
) => tf.Scalar;

/** A loss whose second derivatives tfjs has. */
const smooth = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Scalar =>
  tf.mean(tf.sin(affine(x, weight, bias)));

/** `Σ (∂f)²/10` over the variables, also those that f does not reach. */
function penalty(f: () => tf.Scalar, variables: tf.Variable[]): tf.Scalar {
  const { grads } = tf.engine().gradients(f, variables, undefined, true);
  const squares = (grads as (tf.Tensor | null | undefined)[])
    .filter((gradient) => gradient !== null && gradient !== undefined)
    .map((gradient) => tf.sum(tf.square(gradient)) as tf.Scalar);
  return tf.mul(0.1, tf.addN(squares));
}

/**
 * The losses that the programs differentiate: with one or more reads, and with a gradient by the input or by the variables
 * inside the gradient.
 */
export const losses: Readonly<Record<string, Loss>> = {
  'one read': (x, weight, bias) => tf.mean(tf.square(tf.sub(affine(x, weight(), bias), 1))) as tf.Scalar,
  'two reads': (x, weight, bias) =>
    tf.add(
      tf.mean(tf.square(affine(x, weight(), bias))),
      tf.mul(0.1, tf.sum(tf.square(weight()))),
    ) as tf.Scalar,
  'reads in tidies': (x, weight, bias) => {
    const y = tf.tidy(() => affine(x, weight(), bias));
    const z = tf.tidy(() => tf.tidy(() => affine(x, weight(), bias)));
    return tf.mean(tf.mul(y, z)) as tf.Scalar;
  },
  'gradient penalty': (x, weight, bias) => {
    const slope = tf.grad((input) => tf.sum(tf.tanh(affine(input, weight(), bias))))(x);
    return tf.add(tf.sum(tf.square(slope)), tf.mean(tf.square(affine(x, weight(), bias)))) as tf.Scalar;
  },
  'a read inside': (x, weight, bias, variables) => penalty(() => smooth(x, weight(), bias), variables),
  'a read before': (x, weight, bias, variables) => {
    const before = smooth(x, weight(), bias);
    return tf.add(
      before,
      penalty(() => smooth(x, weight(), bias), variables),
    );
  },
  'a read that is held': (x, weight, bias, variables) => {
    const held = weight();
    return penalty(() => smooth(x, held, bias), variables);
  },
  'reads between': (x, weight, bias, variables) => {
    const held = weight();
    const first = penalty(() => tf.add(smooth(x, held, bias), smooth(x, weight(), bias)), variables);
    const between = smooth(x, weight(), bias);
    const second = penalty(() => smooth(x, weight(), bias), variables);
    return tf.addN([first, between, second, smooth(x, held, bias)]);
  },
};
