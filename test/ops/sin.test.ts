import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { cos, sin } from '../../src/ops/sin.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';

const angles = (): tf.Tensor =>
  tf.concat([
    tf.linspace(-1000, 1000, 4001),
    tf.linspace(-7, 7, 1401),
    tf.mul(Math.PI / 2, tf.range(-9, 10)),
    tf.tensor1d([0, 1e-30, -1e-30]),
  ]);

it.each([
  ['sin', sin, Math.sin],
  ['cos', cos, Math.cos],
] as const)('%s is that of Math, to rounding', (_, ofTensor, ofNumber) => {
  inTidy(() => {
    const x = angles();
    expect(ofTensor(x)).toBeAllClose(flatten(x).map(ofNumber), { relative: 0, absolute: 2e-7 });
  });
});

it('sin keeps the digits of a small angle, and 0', () => {
  inTidy(() => {
    expect(flatten(sin(tf.tensor1d([1e-30, -1e-30, 0])))).toEqual([...new Float32Array([1e-30, -1e-30, 0])]);
  });
});

it('a pair is on the circle, also for angles that float32 cannot tell apart', () => {
  inTidy(() => {
    const x = tf.tensor1d([1e4, -1e7, 1e18, -3e38]);
    expect(tf.add(tf.square(sin(x)), tf.square(cos(x)))).toBeAllClose(tf.ones([4]), { absolute: 4e-7 });
  });
});

it.each([sin, cos])('has gradients of any order', (fn) => {
  const x = tf.tidy(() => tf.variable(tf.tensor1d([-4, -1.5, 0.3, 2, 9])));
  expectGradients(() => fn(x), [x], [1, 2]);
  x.dispose();
});
