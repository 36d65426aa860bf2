import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { symmetricPart } from '../../../src/ops/matrix/symmetricPart.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';
import { inTidy } from '../../parametrize/fixtures.ts';

it('is the mean of the matrix and its transpose', () => {
  inTidy(() => {
    const X = tf.tensor3d([[[1, 2], [4, 3]]]); // biome-ignore format: a matrix
    expect(symmetricPart(X)).toBeAllClose([1, 3, 3, 3]);
    expect(symmetricPart(tf.fill([2, 2], 3e38))).toBeAllClose(tf.fill([2, 2], 3e38));
  });
});

it('has gradients', () => {
  const X = example([2, 3, 3]);
  expectGradients(() => symmetricPart(X), [X]);
  X.dispose();
});
