import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { asMatrix, matVec, powerIteration } from '../../../src/ops/matrix/powerIteration.ts';
import { scaleToOne } from '../../../src/ops/norm/scaleToOne.ts';
import { spectralDefinition } from '../../parametrizations/spectralDefinition.ts';
import { inTidy, numbers } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';

describe('asMatrix', () => {
  it.each([
    [[3, 4], 0],
    [[3, 4], 1],
    [[2, 3, 4], 1],
    [[2, 3, 2, 2], 3],
    [[5], 0],
  ])('of shape %j has the slices along axis %d as rows', (shape, dim) => {
    inTidy(() => {
      const x = numbers(...shape)();
      const rows = spectralDefinition(shape, dim).matrix(flatten(x));
      const matrix = asMatrix(x, dim);
      expect(matrix.shape).toEqual([rows.length, rows[0]!.length]);
      expect(flatten(matrix)).toEqual(rows.flat());
    });
  });
});

describe('powerIteration', () => {
  const shape = [3, 4];

  it.each([
    ['left', 'u', 1],
    ['left', 'u', 3],
    ['right', 'v', 1],
    ['right', 'v', 3],
  ] as const)('computes the %s vector first, %s, in each of %d steps', (first, vector, iterations) => {
    inTidy(() => {
      const matrix = numbers(3, 4)();
      const start = { left: tf.tensor1d([0.6, 0, -0.8]), right: tf.tensor1d([0.5, -0.5, 0.5, 0.5]) };
      let wanted = { u: flatten(start.left), v: flatten(start.right) };
      for (let i = 0; i < iterations; i++) {
        wanted = spectralDefinition(shape, 0).step(flatten(matrix), wanted.u, wanted.v, vector);
      }
      const { left, right } = powerIteration(matrix, start, iterations, 0, first);
      expect(left).toBeAllClose(wanted.u);
      expect(right).toBeAllClose(wanted.v);
    });
  });

  it('leaves vectors whose product is too short, or not finite, as they are', () => {
    inTidy(() => {
      const start = { left: tf.tensor1d([0.6, 0.8]), right: tf.tensor1d([0, 1]) };
      const kept = { left: flatten(start.left), right: flatten(start.right) };
      for (const [matrix, eps] of [
        [tf.zeros([2, 2]), 0],
        [tf.fill([2, 2], 0.1), 0.2],
        [tf.fill([2, 2], Number.POSITIVE_INFINITY), 0],
        [tf.fill([2, 2], Number.NaN), 0],
      ] as [tf.Tensor, number][]) {
        const { left, right } = powerIteration(matrix, start, 2, eps);
        expect({ left: flatten(left), right: flatten(right) }).toEqual(kept);
      }
    });
  });
});

describe('matVec', () => {
  it('is the product with a vector from either side', () => {
    inTidy(() => {
      const matrix = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      expect(matVec(matrix, tf.tensor1d([1, 0, -1]), false)).toBeAllClose(tf.tensor1d([-2, -2]));
      expect(matVec(matrix, tf.tensor1d([1, -1]), true)).toBeAllClose(tf.tensor1d([-3, -3, -3]));
    });
  });
});

describe('scaleToOne', () => {
  it.each([1e-38, 1e-20, 1, 1e20, 1e38])('divides by the largest magnitude: %d', (scale) => {
    inTidy(() => {
      const x = tf.tensor2d([1 * scale, -2 * scale, 0, 0.5 * scale], [2, 2]);
      expect(scaleToOne(x)).toBeAllClose(
        tf.tensor2d([
          [0.5, -1],
          [0, 0.25],
        ]),
      );
      const dx = tf.grad((y) => tf.sum(scaleToOne(y)))(x);
      expect(flatten(dx).map((element) => element * scale)).toBeAllClose([0.5, 0.5, 0.5, 0.5]);
    });
  });

  it('keeps zeros, and an empty tensor', () => {
    inTidy(() => {
      expect(flatten(scaleToOne(tf.zeros([2, 2])))).toEqual([0, 0, 0, 0]);
      expect(scaleToOne(tf.zeros([0, 3])).shape).toEqual([0, 3]);
    });
  });

  it('has no part in the derivatives of what does not depend on the scale', () => {
    inTidy(() => {
      const direction = (x: tf.Tensor): tf.Tensor => tf.div(x, tf.sqrt(tf.sum(tf.square(x))));
      const loss = (f: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) =>
        tf.sum(tf.mul(f(x), tf.tensor1d([1, 3, -2])));
      const penalty = (f: (x: tf.Tensor) => tf.Tensor) => (x: tf.Tensor) =>
        tf.sum(tf.square(tf.grad(loss(f))(x)));
      const x = tf.tensor1d([3, -4, 12]);
      const scaled = (y: tf.Tensor): tf.Tensor => direction(scaleToOne(y));
      expect(tf.grad(loss(scaled))(x)).toBeAllClose(tf.grad(loss(direction))(x));
      expect(tf.grad(penalty(scaled))(x)).toBeAllClose(tf.grad(penalty(direction))(x));
    });
  });
});
