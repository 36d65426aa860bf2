import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { triangularInverse } from '../../../src/ops/matrix/triangularInverse.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';
import { eye, rowsOf, solve } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, readers } from './matrixCases.ts';

/** Matrices with a diagonal between 1 and 2, whose lower triangle is not zero. */
const withDiagonal = (x: tf.Tensor): tf.Tensor => {
  const identity = tf.eye(x.shape[2]!);
  return tf.add(tf.mul(x, tf.sub(1, identity)), tf.mul(tf.add(1, tf.abs(x)), identity));
};

describe.each(readers)('triangularInverse, %s', (_, numbers) => {
  const invert = (x: tf.Tensor): tf.Tensor => triangularInverse(x, numbers);

  it('is the inverse of the upper triangle in float64, and upper triangular, for every size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3 }), (n, b) => {
        inTidy(() => {
          const M = withDiagonal(matrices([b, n, n], 1 / Math.sqrt(n), n));
          const found = invert(M);
          expect(found.shape).toEqual([b, n, n]);
          tf.split(M, b).forEach((matrix, i) => {
            const upper = rowsOf(flatten(matrix), n).map((row, r) => row.map((x, c) => (c < r ? 0 : x)));
            const result = flatten(tf.slice(found, [i, 0, 0], [1, n, n]));
            expect(result).toBeAllClose(solve(upper, eye(n)).flat(), { absolute: 1e-5 });
            rowsOf(result, n).forEach((row, r) => {
              expect(row.slice(0, r).every((x) => Math.abs(x) === 0)).toBe(true);
            });
          });
        });
      }),
    );
  });

  it('can be differentiated twice; what is below the diagonal has no gradient', () => {
    const X = example([2, 3, 3], 0.5);
    expectGradients(() => tf.tidy(() => invert(withDiagonal(X))), [X]);
    inTidy(() => {
      const gradient = tf.grad((x) => tf.sum(tf.square(invert(withDiagonal(x)))))(X as tf.Tensor);
      const below = rowsOf(flatten(gradient), 3).flatMap((row, i) => row.slice(0, i % 3));
      expect(below.every((x) => Math.abs(x) === 0)).toBe(true);
    });
    X.dispose();
  });
});
