import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { diagonalOf, withDiagonal } from '../../../src/ops/matrix/diagonal.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { matrices } from './matrixCases.ts';

it('replaces the diagonal and nothing else', () => {
  inTidy(() => {
    const X = tf.tensor3d([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]); // biome-ignore format: matrices
    expect(diagonalOf(X)).toBeAllClose([1, 4, 5, 8]);
    const d = tf.tensor2d([[9, 10], [11, 12]]); // biome-ignore format: two rows
    expect(withDiagonal(X, d)).toBeAllClose([9, 2, 3, 10, 11, 6, 7, 12]);
  });
});

it.each([[[1, 1]], [[4, 4]], [[2, 3, 3]], [[2, 1, 2, 2]]])(
  'keeps a matrix with its own diagonal: %j',
  (shape) => {
    inTidy(() => {
      const X = matrices(shape);
      expect(diagonalOf(X).shape).toEqual(shape.slice(0, -1));
      expect(withDiagonal(X, diagonalOf(X))).toBeAllClose(X, { relative: 0, absolute: 0 });
    });
  },
);

it('has gradients', () => {
  const [X, d] = [example([2, 3, 3]), example([2, 3])];
  expectGradients(() => diagonalOf(tf.square(X)), [X]);
  expectGradients(() => tf.square(withDiagonal(X, d)), [X, d]);
  tf.dispose([X, d]);
});
