import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/**
 * Compares gradients with central differences, in up to 12 elements of every variable:
 *
 * - first order: of `s = Σ (r·f + f²/2)`, with fixed numbers r;
 * - second order: of the gradient penalty `p = Σ (q·∂s + (∂s)²/2)` over all variables.
 *
 * A gradient that tfjs says does not exist counts as zero, so that a term that is dropped silently fails too.
 */
export function expectGradients(f: () => tf.Tensor, variables: tf.Variable[], orders = [1, 2]): void {
  const weighted = (y: tf.Tensor): tf.Scalar => {
    const flat = tf.reshape(y, [y.size]);
    const r = tf.cos(tf.range(1, y.size + 1));
    return tf.sum(tf.add(tf.mul(flat, r), tf.div(tf.square(flat), 2)));
  };
  const loss = (): tf.Scalar => weighted(f());
  const gradients = (of: () => tf.Scalar): tf.Tensor[] => {
    const { grads } = tf.engine().gradients(of, variables, undefined, true);
    return variables.map(
      (variable, i) => (grads[i] as tf.Tensor | null | undefined) ?? tf.zerosLike(variable),
    );
  };
  const penalty = (): tf.Scalar => tf.addN(gradients(loss).map(weighted));

  if (orders.includes(1)) compare(gradients, loss, variables, 'first order');
  if (orders.includes(2)) compare(gradients, penalty, variables, 'second order');
}

function compare(
  gradients: (of: () => tf.Scalar) => tf.Tensor[],
  of: () => tf.Scalar,
  variables: tf.Variable[],
  label: string,
): void {
  const analytic = tf.tidy(() => gradients(of).map((gradient) => gradient.dataSync()));
  const value = () => tf.tidy(() => of().dataSync()[0]!);
  variables.forEach((variable, i) => {
    const before = variable.dataSync().slice();
    const step = 1e-2;
    const indices = [...new Set(Array.from({ length: 12 }, (_, k) => Math.floor((k * variable.size) / 12)))];
    const at = (index: number, shift: number): number => {
      const shifted = before.slice();
      shifted[index]! += shift;
      tf.tidy(() => variable.assign(tf.tensor(shifted, variable.shape)));
      return value();
    };
    const numeric = indices.map((index) => (at(index, step) - at(index, -step)) / (2 * step));
    tf.tidy(() => variable.assign(tf.tensor(before, variable.shape)));
    const scale = Math.max(1, ...numeric.map(Math.abs));
    expect(
      indices.map((index) => analytic[i]![index]!),
      `${label}, variable ${i} of shape [${variable.shape}]`,
    ).toBeAllClose(numeric, { relative: 0, absolute: 1e-2 * scale });
  });
}

/** A variable with fixed numbers of both signs, none near 0. */
export function example(shape: number[], scale = 1): tf.Variable {
  return tf.tidy(() => {
    const size = tf.util.sizeFromShape(shape);
    const values = Array.from({ length: size }, (_, i) => {
      const x = Math.sin(1 + 2.7 * i);
      return scale * (x + 0.2 * Math.sign(x));
    });
    return tf.variable(tf.tensor(values, shape));
  });
}
