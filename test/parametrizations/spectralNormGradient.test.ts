import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import * as nn from '../../src/nn/index.ts';
import { SpectralNorm, spectralNorm } from '../../src/parametrizations/index.ts';
import { parametrizationsOn } from '../../src/parametrize/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { centralDifferences } from './float64.ts';
import { spectralDefinition } from './spectralDefinition.ts';

const cases = {
  'the rows of a matrix': { shape: [3, 4], dim: 0 },
  'the columns of a matrix': { shape: [4, 3], dim: 1 },
  'a convolution': { shape: [3, 2, 2, 2], dim: 0 },
  'a transposed convolution': { shape: [2, 3, 2], dim: 1 },
  'the last axis': { shape: [2, 2, 3], dim: 2 },
  'a single row': { shape: [1, 4], dim: 0 },
};

const numbers = (size: number, seed: number): number[] =>
  Array.from({ length: size }, (_, i) => 2 * Math.sin(seed + 2.7 * i) + Math.cos(seed * i) / 2);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);

describe.each(Object.entries(cases))('the gradient of spectral norm along %s', (_, { shape, dim }) => {
  const reference = spectralDefinition(shape, dim);
  const size = shape.reduce((product, length) => product * length, 1);
  const W = numbers(size, 1);
  const [r, q] = [numbers(size, 7), numbers(size, 11)];

  /** `Σ r·Y + ½ Σ Y²`, so that the loss is not linear in Y. */
  const lossOf = (Y: tf.Tensor): tf.Tensor =>
    tf.add(tf.sum(tf.mul(tf.tensor(r, shape), Y)), tf.div(tf.sum(tf.square(Y)), 2));

  /** Runs with a map in eval mode, whose vectors are those of another matrix: no terms vanish, as they do at the singular vectors. */
  const run = (fn: (map: SpectralNorm, u: number[], v: number[]) => void): void =>
    inTidy(() => {
      nn.manualSeed(3);
      const map = new SpectralNorm(tf.tensor(numbers(size, 5), shape), { dim });
      map.eval();
      fn(map, flatten(map._u!), flatten(map._v!));
      map.dispose();
    });

  it('is that of W / uᵀMv in float64 with u and v constant, by central differences and in closed form (torch#71)', () => {
    run((map, u, v) => {
      const loss = (x: readonly number[]): number => {
        const Y = reference.value(x, u, v);
        return dot(r, Y) + dot(Y, Y) / 2;
      };
      const numeric = centralDifferences(loss, W);
      const dY = reference.value(W, u, v).map((y, i) => r[i]! + y);
      const scale = Math.max(1, ...numeric.map(Math.abs));
      expect(reference.gradient(W, u, v, dY)).toBeAllClose(numeric, { absolute: 1e-7 * scale });
      const dW = tf.grad((x) => lossOf(map.forward(x)))(tf.tensor(W, shape));
      expect(dW.shape).toEqual(shape);
      expect(flatten(dW)).toBeAllClose(numeric, { relative: 0, absolute: 1e-4 * scale });
    });
  });

  it('can be differentiated again', () => {
    run((map, u, v) => {
      const penalty = (x: readonly number[]): number => {
        const dY = reference.value(x, u, v).map((y, i) => r[i]! + y);
        const dW = reference.gradient(x, u, v, dY);
        return dot(dW, dW) / 2 + dot(q, dW);
      };
      const penaltyOf = (x: tf.Tensor): tf.Tensor => {
        const dW = tf.grad((y) => lossOf(map.forward(y)))(x);
        return tf.add(tf.div(tf.sum(tf.square(dW)), 2), tf.sum(tf.mul(tf.tensor(q, shape), dW)));
      };
      const numeric = centralDifferences(penalty, W);
      const scale = Math.max(1, ...numeric.map(Math.abs));
      expect(flatten(tf.grad(penaltyOf)(tf.tensor(W, shape)))).toBeAllClose(numeric, {
        relative: 0,
        absolute: 2e-4 * scale,
      });
    });
  });
});

describe('the gradient through several forwards in one graph', () => {
  const shape = [3, 4];
  const reference = spectralDefinition(shape, 0);
  const W = numbers(12, 2);

  it.each([
    ['train, train (torch#66)', ['train', 'train']],
    ['eval (torch#71)', ['eval']],
    ['train, eval, train, eval (torch#70)', ['train', 'eval', 'train', 'eval']],
  ])('takes u and v as each of them had them: %s', (_, modes) => {
    nn.manualSeed(4);
    const layer = new nn.Linear(4, 3, { bias: false });
    spectralNorm(layer);
    const list = parametrizationsOn(layer, 'weight');
    const map = list[0] as SpectralNorm;
    const vectors: { u: number[]; v: number[] }[] = [];
    inTidy(() => {
      // Another weight than the one that the vectors fit, so that they move.
      list.original!.assign(tf.tensor(W, shape));
      const x = tf.tensor(numbers(8, 6), [2, 4]);
      const loss = (): tf.Scalar =>
        tf.addN(
          modes.map((mode, k) => {
            layer.train(mode === 'train');
            const y = layer.call(x);
            vectors.push({ u: flatten(map._u!), v: flatten(map._v!) });
            return tf.mul(k + 1, tf.sum(tf.mul(tf.square(y), 0.5))) as tf.Scalar;
          }),
        );
      const { grads } = tf.variableGrads(loss, [list.original!]);
      const xRows = [0, 1].map((i) => numbers(8, 6).slice(4 * i, 4 * i + 4));
      const lossOf = (weight: readonly number[]): number =>
        vectors.reduce((sum, { u, v }, k) => {
          const rows = reference.matrix(reference.value(weight, u, v));
          const y = xRows.flatMap((row) => rows.map((column) => dot(row, column)));
          return sum + ((k + 1) * dot(y, y)) / 2;
        }, 0);
      const moved = modes.filter((mode) => mode === 'train').length;
      expect(new Set(vectors.map(({ u }) => u.join())).size).toBe(Math.max(1, moved));
      const numeric = centralDifferences(lossOf, W);
      expect(Math.max(...numeric.map(Math.abs))).toBeGreaterThan(0.1);
      expect(flatten(grads[list.original!.name]!)).toBeAllClose(numeric, { relative: 1e-4, absolute: 1e-4 });
    });
    layer.dispose();
  });
});
