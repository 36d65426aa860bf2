import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { inverse } from '../../../src/ops/matrix/inverse.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';
import { eye, rowsOf, solve } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, readers } from './matrixCases.ts';

/** `I + GGᵀ + X − Xᵀ`: its symmetric part is at least the identity. */
const admissible = (x: tf.Tensor): tf.Tensor => {
  const g = tf.slice(x, [0, 0, 0], [-1, -1, 1]);
  const symmetric = tf.add(tf.eye(x.shape[2]!), tf.matMul(g, g, false, true));
  return tf.add(symmetric, tf.sub(x, tf.transpose(x, [0, 2, 1])));
};

describe.each(readers)('inverse, %s', (_, numbers) => {
  const invert = (x: tf.Tensor): tf.Tensor => inverse(x, numbers);

  it.each([
    [1, 1],
    [3, 2],
    [64, 1],
    [65, 2],
    [131, 1],
  ])('is that of Gaussian elimination in float64: n = %i, %i matrices', (n, b) => {
    inTidy(() => {
      const M = admissible(matrices([b, n, n], 1));
      const found = invert(M);
      tf.split(M, b).forEach((matrix, i) => {
        const wanted = solve(rowsOf(flatten(matrix), n), eye(n)).flat();
        const result = tf.slice(found, [i, 0, 0], [1, n, n]);
        expect(flatten(result)).toBeAllClose(wanted, { relative: 0, absolute: 2e-5 });
      });
    });
  });

  it.each([1e-6, 1, 100, 1e4])('of I − K converges for a skew K of entries of %d', (scale) => {
    inTidy(() => {
      const X = matrices([1, 20, 20], scale);
      const M = tf.add(tf.eye(20), tf.sub(X, tf.transpose(X, [0, 2, 1])));
      const residual = tf.sub(tf.matMul(M, invert(M)), tf.eye(20));
      // In units of the condition number, which is the largest singular value here.
      expect(Math.max(...flatten(residual).map(Math.abs))).toBeLessThan(1e-5 * (1 + scale));
    });
  });

  it('can be differentiated twice, also by blocks', () => {
    const X = example([2, 3, 3], 0.5);
    expectGradients(() => tf.tidy(() => invert(admissible(X))), [X]);
    X.dispose();
    const large = example([1, 70, 70], 0.02);
    expectGradients(() => tf.tidy(() => invert(admissible(large))), [large], [1]);
    large.dispose();
  });
});
