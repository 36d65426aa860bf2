import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cholesky } from '../../../src/ops/matrix/cholesky.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, readers, withEigenvalues } from './matrixCases.ts';

/** `GGᵀ/n + I/10` */
const definite = (b: number, n: number, seed = 1): tf.Tensor => {
  const G = matrices([b, n, n], 1, seed);
  return tf.add(tf.div(tf.matMul(G, G, false, true), n), tf.mul(tf.eye(n), 0.1));
};

/** The triangular factor with a positive diagonal, to rounding in units of the largest number. */
function expectFactor(A: tf.Tensor, L: tf.Tensor): void {
  const n = A.shape[2]!;
  const largest = Math.max(...flatten(A).map(Math.abs));
  const unit = tf.div(L, Math.sqrt(largest));
  expect(L.shape).toEqual(A.shape);
  expect(tf.matMul(unit, unit, false, true)).toBeAllClose(tf.div(A, largest), {
    relative: 0,
    absolute: 5e-7,
  });
  flatten(L).forEach((x, index) => {
    const [i, j] = [Math.floor(index / n) % n, index % n];
    if (i < j) expect(Math.abs(x)).toBe(0);
    if (i === j) expect(x).toBeGreaterThan(0);
  });
}

describe.each(readers)('cholesky, %s', (_, numbers) => {
  it('is the triangular factor, for every size and batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 50 }),
        (n, b, seed) =>
          inTidy(() => {
            const A = definite(b, n, seed);
            expectFactor(A, cholesky(A, numbers));
          }),
      ),
      { numRuns: 15 },
    );
  });

  it.each([
    ['as many columns as a panel', () => definite(1, 32)],
    ['more columns than two panels', () => definite(2, 67)],
    ['a condition number of 1e6', () => withEigenvalues(40, (x) => 1e-6 ** x)],
    ['huge numbers', () => tf.mul(definite(1, 5), 1e30)],
    ['tiny numbers', () => tf.mul(definite(1, 5), 1e-30)],
    ['a diagonal of many sizes', () => tf.expandDims(tf.diag(tf.tensor1d([1, 1e-12, 1e-6])))],
  ] as const)('is it for %s', (_, make) => {
    inTidy(() => {
      const A = make();
      expectFactor(A, cholesky(A, numbers));
    });
  });

  it('uses the lower triangle only', () => {
    inTidy(() => {
      const A = definite(1, 36);
      const disturbed = tf.add(A, tf.sub(tf.linalg.bandPart(tf.ones([36, 36]), 0, -1), tf.eye(36)));
      expect(cholesky(disturbed, numbers)).toBeAllClose(cholesky(A, numbers));
    });
  });

  it('is not finite for a matrix that is not positive definite', () => {
    inTidy(() => {
      const A = tf.tensor3d([[[1, 2], [2, 1]]]); // biome-ignore format: a matrix
      expect(flatten(cholesky(A, numbers)).every(Number.isFinite)).toBe(false);
    });
  });
});
