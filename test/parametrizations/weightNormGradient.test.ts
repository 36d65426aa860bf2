import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { WeightNorm } from '../../src/parametrizations/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { centralDifferences, definition } from './float64.ts';

const cases = {
  'rows of a matrix': { shape: [3, 4], dim: [0], eps: 0 },
  'columns of a matrix': { shape: [3, 4], dim: [-1], eps: 0 },
  'one norm': { shape: [2, 3, 2], dim: [], eps: 0 },
  'the kernels of a convolution': { shape: [3, 2, 2, 2], dim: [0], eps: 0 },
  'two kept axes': { shape: [2, 3, 2], dim: [0, -1], eps: 0 },
  'rows of one element, whose direction cannot turn': { shape: [4, 1], dim: [0], eps: 0 },
  'a bound below all norms': { shape: [3, 4], dim: [0], eps: 0.25 },
  'a bound above all norms': { shape: [3, 4], dim: [0], eps: 30 },
  'a bound between the norms': { shape: [3, 4], dim: [0], eps: 4.5 },
};

const numbers = (size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => 2 * Math.sin(seed + 2.7 * i) + Math.cos(seed * i) / 2);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);

describe.each(Object.entries(cases))('the gradient of weight norm, %s', (_, { shape, dim, eps }) => {
  const reference = definition(shape, dim, eps);
  const size = shape.reduce((product, length) => product * length, 1);
  const [g, v] = [numbers(reference.slices, 3), numbers(size, 1)];
  const [r, q] = [numbers(size, 7), numbers(size, 11)];
  const gShape =
    dim.length === 0
      ? []
      : shape.map((length, axis) => (dim.some((d) => d === axis || d === axis - shape.length) ? length : 1));

  /** `Σ r·W + ½ Σ W²`, so that the loss is not linear in W. */
  const lossOf = (W: tf.Tensor): tf.Tensor =>
    tf.add(tf.sum(tf.mul(tf.tensor(r, shape), W)), tf.div(tf.sum(tf.square(W)), 2));
  const referenceGradient = (g64: readonly number[], v64: readonly number[]) =>
    reference.gradient(
      g64,
      v64,
      reference.weight(g64, v64).map((w, i) => r[i]! + w),
    );

  const run = (fn: (map: WeightNorm, originals: [tf.Tensor, tf.Tensor]) => void): void =>
    inTidy(() => fn(new WeightNorm({ dim, eps }), [tf.tensor(g, gShape), tf.tensor(v, shape)]));

  it('is that of the definition in float64, by central differences and in closed form', () => {
    const loss = (g64: readonly number[], v64: readonly number[]): number => {
      const W = reference.weight(g64, v64);
      return dot(r, W) + dot(W, W) / 2;
    };
    const numeric = {
      dg: centralDifferences((x) => loss(x, v), g),
      dv: centralDifferences((x) => loss(g, x), v),
    };
    expect(referenceGradient(g, v).dg).toBeAllClose(numeric.dg, { relative: 1e-6, absolute: 1e-7 });
    expect(referenceGradient(g, v).dv).toBeAllClose(numeric.dv, { relative: 1e-6, absolute: 1e-7 });
    run((map, originals) => {
      const [dg, dv] = tf.grads((...x) => lossOf(map.forward(x[0]!, x[1]!)))(originals);
      expect(dg!.shape).toEqual(gShape);
      expect(dg!).toBeAllClose(numeric.dg, { relative: 1e-4, absolute: 1e-4 });
      expect(dv!).toBeAllClose(numeric.dv, { relative: 1e-4, absolute: 1e-4 });
    });
  });

  it('can be differentiated again', () => {
    // Of the gradient penalty ½ Σ dg² + Σ q·dv, which mixes both originals.
    const penalty = (g64: readonly number[], v64: readonly number[]): number => {
      const { dg, dv } = referenceGradient(g64, v64);
      return dot(dg, dg) / 2 + dot(q, dv);
    };
    run((map, originals) => {
      const penaltyOf = (...x: tf.Tensor[]): tf.Tensor => {
        const [dg, dv] = tf.grads((...y) => lossOf(map.forward(y[0]!, y[1]!)))(x);
        return tf.add(tf.div(tf.sum(tf.square(dg!)), 2), tf.sum(tf.mul(tf.tensor(q, shape), dv!)));
      };
      const [dg, dv] = tf.grads(penaltyOf)(originals);
      const wanted = [
        centralDifferences((x) => penalty(x, v), g),
        centralDifferences((x) => penalty(g, x), v),
      ];
      const largest = Math.max(1, ...wanted.flat().map(Math.abs));
      expect(flatten(dg!)).toBeAllClose(wanted[0]!, { relative: 0, absolute: 2e-4 * largest });
      expect(flatten(dv!)).toBeAllClose(wanted[1]!, { relative: 0, absolute: 2e-4 * largest });
    });
  });
});

describe('the gradient of weight norm where v is zero', () => {
  it('is zero in that row and right in the others, in the first and the second order', () => {
    inTidy(() => {
      const map = new WeightNorm();
      const [g, v] = [
        tf.tensor2d([[2], [3]]),
        tf.tensor2d([
          [0, 0],
          [3, 4],
        ]),
      ];
      const lossOf = (...x: tf.Tensor[]): tf.Tensor => tf.sum(tf.square(map.forward(x[0]!, x[1]!)));
      const [dg, dv] = tf.grads(lossOf)([g, v]);
      // The loss of a row is g², whatever its direction.
      expect(dg!).toBeAllClose([0, 6]);
      expect(dv!).toBeAllClose([0, 0, 0, 0]);
      const [ddg, ddv] = tf.grads((...x) => {
        const gradients = tf.grads(lossOf)(x);
        return tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient))));
      })([g, v]);
      expect(ddg!).toBeAllClose([0, 24], { absolute: 1e-4 });
      expect(ddv!).toBeAllClose([0, 0, 0, 0], { absolute: 1e-4 });
    });
  });

  it('is zero for a zero tensor with one norm, and for an empty tensor', () => {
    inTidy(() => {
      const map = new WeightNorm({ dim: null });
      const [dg, dv] = tf.grads((...x) => map.forward(x[0]!, x[1]!))([tf.scalar(2), tf.zeros([2, 2])]);
      expect(dg!).toBeAllClose([0]);
      expect(dv!).toBeAllClose([0, 0, 0, 0]);
      const empty = new WeightNorm().forward(tf.zeros([2, 1]), tf.zeros([2, 0]));
      expect(empty.shape).toEqual([2, 0]);
    });
  });
});
