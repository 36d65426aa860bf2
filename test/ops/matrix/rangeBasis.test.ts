import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rangeBasis } from '../../../src/ops/matrix/rangeBasis.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, orthogonalityError, readers, withCondition } from './matrixCases.ts';

const ofRank = (b: number, m: number, n: number, rank: number, seed = 1): tf.Tensor =>
  tf.matMul(matrices([b, m, rank], 1, seed), matrices([b, rank, n], 1, seed + 5));

describe.each(readers)('rangeBasis, %s', (_, numbers) => {
  const basis = (A: tf.Tensor, r: number, iterations?: number): tf.Tensor =>
    rangeBasis(A, tf.randomNormal([A.shape[0]!, A.shape[2]!, r], 0, 1, 'float32', 3), iterations, numbers);

  /** Orthonormal columns, and `QQᵀA = A`, to rounding in units of the largest number. */
  function expectBasis(A: tf.Tensor, r: number, iterations = 2): void {
    const largest = Math.max(...flatten(A).map(Math.abs), 1e-37);
    const unit = tf.div(A, largest);
    const Q = basis(A, r, iterations);
    expect(Q.shape).toEqual([A.shape[0]!, A.shape[1]!, r]);
    expect(orthogonalityError(Q)).toBeLessThan(2e-6);
    expect(tf.matMul(Q, tf.matMul(Q, unit, true))).toBeAllClose(unit, { relative: 0, absolute: 1e-6 });
  }

  it('spans the range, for every shape, rank and batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 3 }),
        (m, n, rank, b) =>
          inTidy(() => {
            const r = Math.min(m, n, rank);
            expectBasis(ofRank(b, m, n, r), r);
          }),
      ),
      { numRuns: 4 },
    );
  });

  it.each([
    ['a tall matrix', () => ofRank(1, 40, 12, 5), 5],
    ['a wide matrix', () => ofRank(1, 12, 40, 5), 5],
    ['more columns than the rank', () => ofRank(1, 14, 10, 3), 7],
    ['zeros', () => tf.zeros([2, 5, 4]), 3],
    ['equal numbers', () => tf.ones([1, 6, 6]), 2],
    ['huge numbers', () => tf.mul(ofRank(1, 6, 5, 2), 1e30), 2],
    ['tiny numbers', () => tf.mul(ofRank(1, 6, 5, 2), 1e-30), 2],
  ] as const)('spans it for %s', (_, make, r) => {
    inTidy(() => expectBasis(make(), r));
  });
});

it('truncates as well as is possible', () => {
  inTidy(() => {
    const [n, r] = [40, 8];
    const A = withCondition(n, n, 100);
    const Q = rangeBasis(A, tf.randomNormal([1, n, r], 0, 1, 'float32', 3));
    const error = tf.norm(tf.sub(A, tf.matMul(Q, tf.matMul(Q, A, true)))).dataSync()[0]!;
    const smallest = Math.hypot(...Array.from({ length: n - r }, (_, i) => 100 ** -((i + r) / (n - 1))));
    expect(error).toBeLessThan(1.02 * smallest);
    expect(error).toBeGreaterThan(0.999 * smallest);
  });
});
