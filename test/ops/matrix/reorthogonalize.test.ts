import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { householderProduct } from '../../../src/ops/matrix/householderProduct.ts';
import { reorthogonalize } from '../../../src/ops/matrix/reorthogonalize.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, orthogonalityError } from './matrixCases.ts';

const perturbed = (size: number): tf.Tensor =>
  tf.add(householderProduct(matrices([2, 6, 4])), matrices([2, 6, 4], size, 5));

describe('reorthogonalize', () => {
  it('squares the error at each step', () => {
    inTidy(() => {
      const Q = perturbed(1e-2);
      const errors = [0, 1, 2].map((steps) => orthogonalityError(reorthogonalize(Q, steps)));
      expect(errors[0]).toBeGreaterThan(1e-2);
      expect(errors[1]).toBeLessThan(10 * errors[0]! ** 2);
      expect(errors[2]).toBeLessThan(1e-6);
    });
  });

  it('leaves a matrix of zeros and ones as it is', () => {
    inTidy(() => {
      const Q = tf.expandDims(tf.eye(4, 3));
      expect(flatten(reorthogonalize(Q))).toEqual(flatten(Q));
    });
  });

  it('has the gradient of the identity', () => {
    inTidy(() => {
      const weights = matrices([2, 6, 4], 1, 9);
      const gradient = tf.grad((Q) => tf.sum(tf.mul(reorthogonalize(Q), weights)))(perturbed(1e-7));
      expect(flatten(gradient)).toEqual(flatten(weights));
    });
  });
});
