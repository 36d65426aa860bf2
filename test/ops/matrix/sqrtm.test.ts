import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { sqrtm } from '../../../src/ops/matrix/sqrtm.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { readers, withEigenvalues } from './matrixCases.ts';

describe.each(readers)('sqrtm, %s', (_, numbers) => {
  it.each([
    ['equal', () => 1, 1e-6],
    ['within a factor of 100', (x: number) => 0.01 ** x, 2e-6],
    ['within a factor of 1e5', (x: number) => 1e-5 ** x, 1e-5],
  ] as const)('has the roots of the eigenvalues, %s', (_, spectrum, tolerance) => {
    inTidy(() => {
      for (const n of [1, 2, 32]) {
        const [A, wanted] = [withEigenvalues(n, spectrum), withEigenvalues(n, (x) => Math.sqrt(spectrum(x)))];
        const root = sqrtm(A, numbers);
        expect(root).toBeAllClose(wanted, { relative: 0, absolute: tolerance });
        expect(tf.matMul(root, root)).toBeAllClose(A, { relative: 0, absolute: tolerance });
        expect(root).toBeAllClose(tf.transpose(root, [0, 2, 1]), { relative: 0, absolute: 0 });
      }
    });
  });

  it.each([
    ['singular', (x: number) => (x < 0.5 ? 0 : 1)],
    ['negative by a rounding error', (x: number) => (x < 0.5 ? -1e-7 : 1)],
    ['zero', () => 0],
  ] as const)('is finite for a matrix that is %s', (_, spectrum) => {
    inTidy(() => {
      const A = withEigenvalues(16, spectrum);
      const root = sqrtm(A, numbers);
      expect(tf.matMul(root, root)).toBeAllClose(A, { relative: 0, absolute: 1e-4 });
    });
  });

  it.each([1e-20, 1e20])('takes the root of the scale %d, of a batch', (scale) => {
    inTidy(() => {
      const A = tf.concat([withEigenvalues(5, (x) => 1 + x), withEigenvalues(5, (x) => 1 + 9 * x)]);
      const wanted = tf.mul(sqrtm(A, numbers), Math.sqrt(scale));
      expect(tf.div(sqrtm(tf.mul(A, scale), numbers), Math.sqrt(scale))).toBeAllClose(
        tf.div(wanted, Math.sqrt(scale)),
      );
    });
  });
});
