import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  erf,
  exp,
  expm1,
  logSoftmax,
  sigmoid,
  softmax,
  softplus,
  softplusInverse,
  tanh,
} from '../../src/ops/smooth.ts';
import { example, expectGradients } from '../nn/gradientCheck.ts';

const functions = {
  exp: { ours: exp, tfjs: tf.exp },
  expm1: { ours: expm1, tfjs: tf.expm1 },
  sigmoid: { ours: sigmoid, tfjs: tf.sigmoid },
  tanh: { ours: tanh, tfjs: tf.tanh },
  softplus: { ours: softplus, tfjs: tf.softplus },
  erf: { ours: erf, tfjs: tf.erf },
  softmax: { ours: softmax, tfjs: (x: tf.Tensor) => tf.softmax(x) },
  logSoftmax: { ours: logSoftmax, tfjs: (x: tf.Tensor) => tf.logSoftmax(x) },
};

describe('softplusInverse', () => {
  it.each([1e-30, 1e-10, 1e-6, 1e-3, 0.1, 0.29, 0.31, 1, 10, 100, 1e4])('is ln(eʸ − 1): %d', (y) => {
    tf.tidy(() => {
      // Math.expm1 overflows where the logarithm is y.
      const wanted = y > 50 ? y : Math.log(Math.expm1(y));
      expect(softplusInverse(tf.scalar(y))).toBeAllClose(wanted, { relative: 4e-7, absolute: 4e-7 });
    });
  });

  it('gives softplus its value back', () => {
    tf.tidy(() => {
      const y = tf.tensor1d([1e-30, 1e-20, 1e-8, 1e-3, 0.1, 0.5, 2, 30, 1e4]);
      // The error of 1e-30 is the rounding of −69, times 1e-30.
      expect(softplus(softplusInverse(y))).toBeAllClose(y, { relative: 5e-6, absolute: 0 });
    });
  });

  it('has the gradients of central differences', () => {
    const y = tf.tidy(() => tf.variable(tf.tensor1d([0.8, 1, 4])));
    expectGradients(() => softplusInverse(y), [y]);
    y.dispose();
  });

  it('has the derivatives 1/e and −(1 − e)/e² with e = 1 − e⁻ʸ', () => {
    tf.tidy(() => {
      const y = tf.tensor1d([1e-6, 0.01, 0.29, 0.31]);
      const first = tf.grad((x) => softplusInverse(x));
      const e = Array.from(y.dataSync(), (x) => -Math.expm1(-x));
      expect(first(y)).toBeAllClose(e.map((x) => 1 / x));
      expect(tf.grad(first)(y)).toBeAllClose(e.map((x) => -(1 - x) / x ** 2));
    });
  });
});

describe.each(Object.entries(functions))('%s', (_name, { ours, tfjs }) => {
  it('has the value of tfjs', () => {
    const x = example([2, 3]);
    const [y, wanted] = [ours(x), tfjs(x)];
    expect(y).toBeAllClose(wanted);
    tf.dispose([x, y, wanted]);
  });

  it('has the first and second derivative that central differences have', () => {
    const x = example([2, 3]);
    expectGradients(() => ours(x), [x]);
    x.dispose();
  });

  it('has a third derivative', () => {
    const x = tf.tensor2d([[0.3, -0.7, 0.4]]);
    const q = tf.tensor2d([[1, 2, -1]]);
    const first = (z: tf.Tensor) => tf.grad((w) => tf.sum(tf.mul(tf.square(ours(w)), q)))(z);
    const second = (z: tf.Tensor) => tf.grad((w) => tf.sum(tf.mul(first(w), q)))(z);
    const third = tf.tidy(() => tf.grad((w) => tf.sum(second(w)))(x));
    const difference = tf.tidy(() => {
      const h = tf.tensor2d([[1e-2, 0, 0]]);
      return tf.div(tf.sub(tf.sum(second(tf.add(x, h))), tf.sum(second(tf.sub(x, h)))), 2e-2);
    });
    expect(third.dataSync()[0]).toBeAllClose(difference, { relative: 1e-2, absolute: 1e-2 });
    tf.dispose([x, q, third, difference]);
  });
});

it('is needed as long as tfjs loses second derivatives', () => {
  // When this fails, tfjs has been mended and smooth.ts can go.
  const x = tf.tensor1d([0.5]);
  // d²/dx² (x·σ(x)) = σ'·(2 + x·(1 - 2σ)); tfjs computes 2·σ' and says nothing.
  const second = tf.tidy(() => tf.grad(tf.grad((z) => tf.mul(z, tf.sigmoid(z))))(x));
  const s = 1 / (1 + Math.exp(-0.5));
  expect(second).toBeAllClose([2 * s * (1 - s)]);
  expect(second).not.toBeAllClose([s * (1 - s) * (2 + 0.5 * (1 - 2 * s))]);
  tf.dispose([x, second]);
});
