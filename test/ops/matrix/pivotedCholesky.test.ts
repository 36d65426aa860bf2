import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pivotedCholesky } from '../../../src/ops/matrix/pivotedCholesky.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, readers, withEigenvalues } from './matrixCases.ts';

/** `GGᵀ` of a rank. */
const ofRank = (b: number, n: number, rank: number, seed = 1): tf.Tensor => {
  const G = matrices([b, n, rank], 1, seed);
  return tf.matMul(G, G, false, true);
};

describe.each(readers)('pivotedCholesky, %s', (_, numbers) => {
  const factor = (A: tf.Tensor, r: number, size?: tf.Tensor): tf.Tensor =>
    pivotedCholesky(A, r, size, numbers);

  function expectFactor(A: tf.Tensor, r: number): void {
    const [b, n] = A.shape as [number, number, number];
    const largest = Math.max(...flatten(A).map(Math.abs), 1e-37);
    const F = factor(A, r);
    expect(F.shape).toEqual([b, n, r]);
    const unit = tf.div(F, Math.sqrt(largest));
    expect(tf.matMul(unit, unit, false, true)).toBeAllClose(tf.div(A, largest), {
      relative: 0,
      absolute: 8e-7,
    });
  }

  it('has the product A, for every size, rank and batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 3 }),
        fc.nat(50),
        (n, rank, b, seed) => inTidy(() => expectFactor(ofRank(b, n, rank, seed), Math.min(n, rank))),
      ),
      { numRuns: 6 },
    );
  });

  it.each([
    ['one number', () => ofRank(2, 1, 1), 1],
    ['rank 10 of 48', () => ofRank(1, 48, 10), 10],
    ['more columns than the rank', () => ofRank(1, 12, 3), 9],
    ['more columns than the matrix', () => ofRank(1, 3, 2), 5],
    ['eigenvalues of many sizes', () => withEigenvalues(24, (x) => 1e-6 ** x), 24],
    ['zeros', () => tf.zeros([2, 4, 4]), 2],
    ['equal numbers', () => tf.ones([1, 6, 6]), 3],
    ['the identity', () => tf.expandDims(tf.eye(5)), 5],
    ['huge numbers', () => tf.mul(ofRank(1, 5, 2), 1e30), 2],
    ['tiny numbers', () => tf.mul(ofRank(1, 5, 2), 1e-30), 2],
    [
      'matrices of several ranks',
      () => tf.concat([ofRank(1, 6, 1), ofRank(1, 6, 6), tf.zeros([1, 6, 6])]),
      6,
    ],
  ] as const)('has it for %s', (_, make, r) => {
    inTidy(() => expectFactor(make(), r));
  });

  it('has columns of zeros beyond the rank', () => {
    inTidy(() => {
      const rest = tf.slice(factor(ofRank(1, 12, 3), 8), [0, 0, 3], [1, 12, 5]);
      expect(flatten(rest).every((x) => Math.abs(x) === 0)).toBe(true);
    });
  });

  it('is zero for what is small against the size', () => {
    inTidy(() => {
      const F = factor(tf.mul(ofRank(1, 4, 4), 1e-8), 4, tf.ones([1, 1, 1]));
      expect(flatten(F).every((x) => Math.abs(x) === 0)).toBe(true);
    });
  });

  it('truncates to less than three times the smallest difference', () => {
    inTidy(() => {
      const A = withEigenvalues(32, (x) => 0.6 ** (31 * (1 - x)));
      const F = factor(A, 8);
      const error = tf.norm(tf.sub(A, tf.matMul(F, F, false, true))).dataSync()[0]!;
      const smallest = Math.hypot(...Array.from({ length: 24 }, (_, i) => 0.6 ** (i + 8)));
      expect(error).toBeLessThan(3 * smallest);
    });
  });
});
