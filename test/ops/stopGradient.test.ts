import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { stopGradient } from '../../src/ops/stopGradient.ts';
import { inTidy } from '../parametrize/fixtures.ts';

it('constant lets a comparison stand in a function that is differentiated', () => {
  inTidy(() => {
    const f = (x: tf.Tensor): tf.Tensor =>
      tf.mul(
        x,
        stopGradient(() => tf.where(tf.less(x, 0), tf.neg(tf.onesLike(x)), tf.onesLike(x))),
      );
    const x = tf.tensor1d([-3, 2]);
    expect(f(x)).toBeAllClose([3, 2]);
    expect(tf.grad(f)(x)).toBeAllClose([-1, 1]);
  });
});
