import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { moments, standardize } from '../../../src/ops/norm/standardize.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';

describe('standardize', () => {
  it.each([[[1]], [[0, 2]], [[0]], [[2, 1, 0]]])('brings mean 0 and variance 1 along axes %o', (axes) => {
    const source = example([4, 3, 5]);
    tf.tidy(() => {
      const x = tf.add(tf.mul(source, 7), 100);
      const y = standardize(x, axes, 0);
      const { mean, variance } = moments(y, axes);
      expect(mean).toBeAllClose(tf.zerosLike(mean), { absolute: 1e-5 });
      expect(variance).toBeAllClose(tf.onesLike(variance), { relative: 1e-4 });
      expect(mean.shape).toEqual([4, 3, 5].map((size, axis) => (axes.includes(axis) ? 1 : size)));
    });
    source.dispose();
  });

  it.each([[[1]], [[0, 2]]])('has first and second derivatives along axes %o', (axes) => {
    const x = example([2, 3, 2]);
    expectGradients(() => standardize(x, axes, 0.1), [x]);
    x.dispose();
  });

  it('has the third derivative of its formula', () => {
    const formula = (x: tf.Tensor) => {
      const centered = tf.sub(x, tf.mean(x, 1, true));
      return tf.div(centered, tf.sqrt(tf.add(tf.mean(tf.square(centered), 1, true), 0.1)));
    };
    const third = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, q: tf.Tensor) => {
      const first = (z: tf.Tensor) => tf.grad((w) => tf.sum(tf.mul(tf.square(f(w)), q)))(z);
      const second = (z: tf.Tensor) => tf.grad((w) => tf.sum(tf.mul(first(w), q)))(z);
      return tf.grad((z) => tf.sum(tf.mul(second(z), q)))(x);
    };
    tf.tidy(() => {
      const x = tf.tensor2d([[0.3, -0.7, 0.4, 1.1]]);
      const q = tf.tensor2d([[1, 2, -1, 0.5]]);
      const ours = third((z) => standardize(z, [1], 0.1), x, q);
      expect(ours).toBeAllClose(third(formula, x, q), { relative: 1e-4, absolute: 1e-4 });
    });
  });

  it('knows no gradient of the moments that it is given', () => {
    const x = example([2, 3]);
    tf.tidy(() => {
      const given = (z: tf.Tensor) => tf.sum(tf.square(standardize(z, [1], 0.1, moments(z, [1]))));
      const own = (z: tf.Tensor) => tf.sum(tf.square(standardize(z, [1], 0.1)));
      expect(tf.grad(given)(x)).toBeAllClose(tf.grad(own)(x));
    });
    x.dispose();
  });
});
