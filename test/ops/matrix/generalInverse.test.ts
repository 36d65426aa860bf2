import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { generalInverse } from '../../../src/ops/matrix/generalInverse.ts';
import { eye, rowsOf, solve } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, readers, withCondition } from './matrixCases.ts';

describe.each(readers)('generalInverse, %s', (_, numbers) => {
  it.each([
    ['one number', () => tf.tensor3d([[[-4]]])],
    ['a batch', () => matrices([3, 4, 4])],
    ['a zero first pivot', () => tf.tensor3d([[[0, 1], [1, 0]]])], // biome-ignore format: a matrix
    ['a condition number of 1e4', () => withCondition(24, 24, 1e4)],
    ['huge numbers', () => matrices([1, 4, 4], 1e25)],
    ['tiny numbers', () => matrices([1, 4, 4], 1e-25)],
  ] as const)('is that of Gaussian elimination in float64: %s', (_, make) => {
    inTidy(() => {
      const M = make();
      const n = M.shape[2]!;
      const found = generalInverse(M, numbers);
      const wanted = tf.unstack(M).flatMap((matrix) => solve(rowsOf(flatten(matrix), n), eye(n)).flat());
      const scale = Math.max(...wanted.map(Math.abs));
      expect(flatten(found).map((x) => x / scale)).toBeAllClose(
        wanted.map((x) => x / scale),
        { relative: 0, absolute: 2e-3 },
      );
    });
  });
});
