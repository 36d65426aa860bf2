import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/**
 * Compares gradients with central differences, in up to 12 elements of every variable:
 *
 * - first order: of `s = Σ (r·f + f²/2)`, with fixed numbers r;
 * - second order: of the gradient penalty `p = Σ (q·∂s + (∂s)²/2)` over all variables;
 * - third order: of the penalty on the gradients of p, and so on.
 *
 * From the second order on they must also be the same to the last digits, whatever the depth of gradients at which f is
 * evaluated and used.
 *
 * A gradient that tfjs says does not exist counts as zero, so that a term that is dropped silently fails too.
 */
export function expectGradients(f: () => tf.Tensor, variables: tf.Variable[], orders = [1, 2]): void {
  const { gradients, penalty } = penaltiesOver(variables);
  for (const order of orders) {
    compare(gradients, () => penalty(order, f), variables, `order ${order}`);
    if (order > 1) expectOneAtEveryDepth(f, variables, order);
  }
}

/** Compares the gradients of a loss whose f is evaluated where it is used with those of losses that evaluate it elsewhere. */
export function expectOneAtEveryDepth(f: () => tf.Tensor, variables: tf.Variable[], order: number): void {
  const { gradients, penalty } = penaltiesOver(variables);
  const numbers = (of: () => tf.Scalar) =>
    tf.tidy(() => gradients(of).map((gradient) => Array.from(gradient.dataSync())));
  const first = numbers(() => penalty(1, f));
  const wanted = numbers(() => penalty(order, f));
  const both = wanted.map((gradient, i) => gradient.map((x, j) => x + first[i]![j]!));
  const elsewhere: Record<string, [of: () => tf.Scalar, wanted: number[][]]> = {
    'evaluated before the inner gradient': [
      () => {
        f();
        return penalty(order, f);
      },
      wanted,
    ],
    'made outside of the inner gradient': [() => madeHere(f, (g) => penalty(order, g)), wanted],
    'used outside of the inner gradient, too': [
      () => madeHere(f, (g) => tf.add(penalty(1, g), penalty(order, g))),
      both,
    ],
    'evaluated before, between and after': [
      () => {
        const [outer, inner] = [weighted(f()), penalty(order, f)];
        return tf.sub(tf.add(tf.add(outer, inner), weighted(f())), penalty(1, f));
      },
      both,
    ],
  };
  if (order > 2) {
    elsewhere['made between the gradients'] = [
      () => penaltyOn(gradients(() => madeHere(f, (g) => penalty(order - 1, g)))),
      wanted,
    ];
  }
  const scale = Math.max(1, ...both.flat().map(Math.abs));
  for (const [where, [of, wanted]] of Object.entries(elsewhere)) {
    numbers(of).forEach((gradient, i) => {
      expect(gradient, `order ${order}, f ${where}, variable ${i}`).toBeAllClose(wanted[i]!, {
        relative: 0,
        absolute: 2e-5 * scale,
      });
    });
  }
}

/** Gives `use` what f makes now, at this depth of gradients. */
function madeHere(f: () => tf.Tensor, use: (g: () => tf.Tensor) => tf.Scalar): tf.Scalar {
  const y = f();
  return use(() => y);
}

function weighted(y: tf.Tensor): tf.Scalar {
  const flat = tf.reshape(y, [y.size]);
  const r = tf.cos(tf.range(1, y.size + 1));
  return tf.sum(tf.add(tf.mul(flat, r), tf.div(tf.square(flat), 2)));
}

const penaltyOn = (gradients: tf.Tensor[]): tf.Scalar => tf.addN(gradients.map(weighted));

function penaltiesOver(variables: tf.Variable[]) {
  const gradients = (of: () => tf.Scalar): tf.Tensor[] => {
    const { grads } = tf.engine().gradients(of, variables, undefined, true);
    return variables.map(
      (variable, i) => (grads[i] as tf.Tensor | null | undefined) ?? tf.zerosLike(variable),
    );
  };
  /** A loss whose gradient is one of that order of f. */
  const penalty = (order: number, f: () => tf.Tensor): tf.Scalar =>
    order === 1 ? weighted(f()) : penaltyOn(gradients(() => penalty(order - 1, f)));
  return { gradients, penalty };
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
