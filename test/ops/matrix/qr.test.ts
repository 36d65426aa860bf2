import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncReader } from '../../../src/engine/hostValues.ts';
import { householderProduct } from '../../../src/ops/matrix/householderProduct.ts';
import { qr } from '../../../src/ops/matrix/qr.ts';
import { rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { peakOf } from '../../peakMemory.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, orthogonalityError, readers } from './matrixCases.ts';

/** That `Q·R` is A, Q has orthonormal columns, R is upper triangular, to rounding in units of the largest number. */
function expectFactors(A: tf.Tensor, numbers: SyncReader): void {
  const [b, n, k] = A.shape as [number, number, number];
  const { vectors, R } = qr(A, numbers);
  const Q = householderProduct(vectors);
  const largest = Math.max(...flatten(A).map(Math.abs), 1e-30);
  const top = tf.slice(R, [0, 0, 0], [b, k, k]);
  expect(R.shape).toEqual(A.shape);
  expect(vectors.shape).toEqual(A.shape);
  expect(orthogonalityError(Q)).toBeLessThan(2e-5);
  const scaled = (x: tf.Tensor): tf.Tensor => tf.div(x, largest);
  expect(tf.matMul(Q, scaled(top))).toBeAllClose(scaled(A), { relative: 0, absolute: 2e-6 * n });
  rowsOf(flatten(R), k).forEach((row, i) => {
    expect(row.slice(0, i % n).every((x) => Math.abs(x) === 0)).toBe(true);
  });
}

describe.each(readers)('qr, %s', (_, numbers) => {
  it('has factors whose product is the matrix, for every shape and batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 50 }),
        (k, more, b, seed) => inTidy(() => expectFactors(matrices([b, k + more, k], 3, seed), numbers)),
      ),
    );
  });

  it.each([
    ['more columns than a panel', () => matrices([2, 70, 67])],
    ['as many columns as two panels', () => matrices([1, 64, 64])],
    ['many more rows than columns', () => matrices([1, 300, 40])],
    ['one row', () => matrices([3, 1, 1])],
    ['one column', () => matrices([2, 40, 1])],
    [
      'a zero column in the middle',
      () => tf.mul(matrices([1, 40, 36]), tf.cast(tf.notEqual(tf.range(0, 36), 33), 'float32')),
    ],
    ['a zero matrix', () => tf.zeros([2, 5, 4])],
    ['rank one', () => tf.matMul(matrices([1, 6, 1]), matrices([1, 1, 6]))],
    ['a column that is zero below the diagonal', () => tf.tensor3d([[[1, 2], [0, 3], [0, 4]]])], // biome-ignore format: a matrix
    ['a negative identity', () => tf.neg(tf.expandDims(tf.eye(4)))],
    ['huge numbers', () => matrices([1, 5, 5], 1e30)],
    ['tiny numbers', () => matrices([1, 5, 5], 1e-30)],
  ] as const)('has them for %s', (_, make) => {
    inTidy(() => expectFactors(make(), numbers));
  });

  it('holds a few matrices of the size of its own at once, however many columns there are', () => {
    for (const [n, k] of [
      [160, 160],
      [300, 80],
    ] as const) {
      // biome-ignore format: shapes
      inTidy(() => {
        const A = matrices([1, n, k]);
        const { tensors, bytes } = peakOf(() => qr(A, numbers));
        expect(bytes / (4 * n * k)).toBeLessThan(18);
        expect(tensors).toBeLessThan(140);
      });
    }
  });
});
