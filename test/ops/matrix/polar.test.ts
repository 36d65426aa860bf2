import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { polar } from '../../../src/ops/matrix/polar.ts';
import { rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, orthogonalityError, readers, withCondition } from './matrixCases.ts';
import { svd, withSingularValues } from './svd.ts';

/** The rounding of `|QᵀQ − I|`. */
const ROUNDING = 1.5e-6;

/** The largest difference of two matrices. */
const distance = (a: tf.Tensor, b: number[][]): number => {
  const numbers = b.flat();
  return Math.max(...flatten(a).map((x, i) => Math.abs(x - numbers[i]!)));
};

/** The largest difference of `QᵀA` from a symmetric matrix without negative eigenvalues, in units of the norm of A. */
function factorError(A: tf.Tensor, Q: tf.Tensor): number {
  const [b, n, k] = A.shape as [number, number, number];
  const errors = tf.split(tf.concat([A, Q], 2), b).map((both) => {
    const [a, q] = tf.split(both, [k, k], 2) as [tf.Tensor, tf.Tensor];
    const { s } = svd(rowsOf(flatten(a), k));
    const H = rowsOf(flatten(tf.matMul(q, a, true)), k);
    const skew = Math.max(...H.flatMap((row, i) => row.map((x, j) => Math.abs(x - H[j]![i]!))));
    const trace = H.reduce((sum, row, i) => sum + row[i]!, 0);
    const nuclear = s.reduce((sum, x) => sum + x, 0);
    // The trace of QᵀA is at most the sum of the singular values, and is that if Q is a polar factor.
    return Math.max(skew, nuclear - trace) / Math.max(...s, 1e-30) / n;
  });
  return Math.max(...errors);
}

describe.each(readers)('polar, %s', (_, numbers) => {
  it('is orthonormal and the nearest such matrix, for every shape and batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 50 }),
        (k, more, b, seed) =>
          inTidy(() => {
            const A = matrices([b, k + more, k], 3, seed);
            const Q = polar(A, numbers);
            expect(Q.shape).toEqual(A.shape);
            expect(orthogonalityError(Q)).toBeLessThan(ROUNDING);
            expect(factorError(A, Q)).toBeLessThan(1e-6);
          }),
      ),
      { numRuns: 12 },
    );
  });

  it.each([
    [1, 4e-7],
    [1e2, 4e-6],
    [1e4, 2e-4],
  ])('has the numbers of a singular value decomposition: condition number %d', (condition, tolerance) => {
    inTidy(() => {
      for (const [n, k] of [
        [16, 16],
        [40, 24],
      ] as const) {
        // biome-ignore format: shapes
        const A = withCondition(n, k, condition);
        const wanted = withSingularValues(svd(rowsOf(flatten(A), k)), () => 1);
        expect(distance(polar(A, numbers), wanted)).toBeLessThan(tolerance);
      }
    });
  });

  it.each([1e-30, 1e-20, 1e20, 1e30])('does not depend on the scale %d', (scale) => {
    inTidy(() => {
      const A = matrices([2, 6, 4]);
      expect(polar(tf.mul(A, scale), numbers)).toBeAllClose(polar(A, numbers), { absolute: 2e-6 });
    });
  });

  it.each([
    ['zeros', () => tf.zeros([2, 5, 4])],
    ['a zero of one number', () => tf.zeros([1, 1, 1])],
    ['square zeros', () => tf.zeros([1, 24, 24])],
    ['one row', () => matrices([3, 1, 1])],
    ['one column', () => matrices([2, 40, 1])],
    ['a zero column', () => tf.mul(matrices([1, 8, 6]), tf.cast(tf.notEqual(tf.range(0, 6), 3), 'float32'))],
    ['equal numbers', () => tf.ones([1, 16, 16])],
    ['a nilpotent matrix', () => tf.tensor3d([[[0, 1], [0, 0]]])], // biome-ignore format: a matrix
    ['equal columns', () => tf.tile(matrices([1, 9, 1]), [1, 1, 5])],
    ['rank 12 of 16', () => tf.matMul(matrices([1, 16, 12]), matrices([1, 12, 16], 1, 5))],
    ['rank 3 of 20 × 10', () => tf.matMul(matrices([1, 20, 3]), matrices([1, 3, 10], 1, 5))],
    ['an idempotent matrix', () => tf.expandDims(tf.diag(tf.tensor1d([1, 1, 0, 0, 0])))],
    ['a negative identity', () => tf.neg(tf.expandDims(tf.eye(4)))],
    ['a condition number of 1e6', () => withCondition(24, 24, 1e6)],
    ['a condition number of 1e8', () => withCondition(24, 24, 1e8)],
    [
      'a batch of full and lower rank',
      () => tf.concat([matrices([1, 6, 6]), tf.zeros([1, 6, 6]), tf.ones([1, 6, 6])]),
    ],
  ] as const)('is orthonormal and a nearest such matrix for %s', (_, make) => {
    inTidy(() => {
      const A = make();
      const Q = polar(A, numbers);
      expect(orthogonalityError(Q)).toBeLessThan(ROUNDING);
      expect(factorError(A, Q)).toBeLessThan(3e-6);
      expect(polar(A, numbers)).toBeAllClose(Q, { absolute: 0, relative: 0 });
    });
  });

  it('keeps matrices with orthonormal columns', () => {
    inTidy(() => {
      const Q = polar(matrices([2, 12, 7]), numbers);
      expect(polar(Q, numbers)).toBeAllClose(Q, { relative: 0, absolute: 3e-7 });
    });
  });
});

it('is orthonormal for 128 columns', () => {
  inTidy(() => expect(orthogonalityError(polar(matrices([1, 128, 128])))).toBeLessThan(ROUNDING));
});
