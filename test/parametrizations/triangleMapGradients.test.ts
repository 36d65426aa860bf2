import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { type Parametrization, Skew, Symmetric } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { centralDifferences } from './float64.ts';

const n = 3;
const numbers = (seed: number): number[] =>
  Array.from({ length: n * n }, (_, i) => 2 * Math.sin(seed + 2.7 * i) + Math.cos(seed * i) / 2);
const [x, r, q] = [numbers(1), numbers(7), numbers(11)];

/** The maps in float64: the entry of the upper triangle that stands at a place, and its sign there. */
const maps: Record<string, { make: () => Parametrization; below: number; diagonal: number }> = {
  Symmetric: { make: () => new Symmetric(), below: 1, diagonal: 1 },
  Skew: { make: () => new Skew(), below: -1, diagonal: 0 },
};

describe.each(Object.entries(maps))('the gradient of %s', (_, { make, below, diagonal }) => {
  const value = (X: readonly number[]): number[] =>
    X.map((_, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      if (row === column) return diagonal * X[i]!;
      return row < column ? X[i]! : below * X[column * n + row]!;
    });
  /** Cubic, so that the second gradient depends on X. */
  const loss64 = (X: readonly number[]): number =>
    value(X).reduce((sum, a, i) => sum + r[i]! * a + a ** 3 / 3, 0);
  const gradient64 = (X: readonly number[]): number[] => centralDifferences(loss64, X);

  it('and the gradient of that are those of the definition in float64, by central differences', () => {
    inTidy(() => {
      const map = make();
      const loss = (X: tf.Tensor): tf.Tensor => {
        const A = map.forward(X);
        return tf.add(tf.sum(tf.mul(tf.tensor2d(r, [n, n]), A)), tf.div(tf.sum(tf.mul(A, tf.square(A))), 3));
      };
      const X = tf.tensor2d(x, [n, n]);
      expect(tf.grad(loss)(X)).toBeAllClose(gradient64(x), { relative: 1e-4, absolute: 1e-4 });
      const along = (at: tf.Tensor): tf.Tensor => tf.sum(tf.mul(tf.tensor2d(q, [n, n]), tf.grad(loss)(at)));
      const along64 = (at: readonly number[]): number =>
        gradient64(at).reduce((sum, g, i) => sum + g * q[i]!, 0);
      expect(tf.grad(along)(X)).toBeAllClose(centralDifferences(along64, x), {
        relative: 1e-3,
        absolute: 1e-3,
      });
      map.dispose();
    });
  });
});
