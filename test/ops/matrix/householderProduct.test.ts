import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { householderProduct } from '../../../src/ops/matrix/householderProduct.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';
import { definition, rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, orthogonalityError, readers } from './matrixCases.ts';

/** The product of the reflections, one by one, in float64. */
const oneByOne = (A: readonly number[], k: number): number[] =>
  definition(
    'householder',
    rowsOf(A, k).map((row, i) => row.map((x, j) => (i === j ? 1 : x))),
  ).flat();

describe.each(readers)('householderProduct, %s', (_, numbers) => {
  const productOf = (x: tf.Tensor): tf.Tensor => householderProduct(x, numbers);

  it('is the product of the reflections, for every shape and batch', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 3 }),
        (k, more, b) => {
          inTidy(() => {
            const [n, A] = [k + more, matrices([b, k + more, k], 2, k)];
            const found = productOf(A);
            expect(found.shape).toEqual([b, n, k]);
            const wanted = tf.split(A, b).flatMap((matrix) => oneByOne(flatten(matrix), k));
            expect(flatten(found)).toBeAllClose(wanted, { relative: 0, absolute: 5e-6 });
          });
        },
      ),
    );
  });

  it.each([
    [
      'numbers of very different size',
      (n: number) => tf.mul(matrices([1, n, n]), tf.pow(10, tf.range(-n / 2, n / 2))),
    ],
    ['equal directions', (n: number) => tf.ones([1, n, n])],
    ['huge numbers', (n: number) => matrices([1, n, n], 1e25)],
    ['zeros', (n: number) => tf.zeros([1, n, n])],
  ] as const)('loses nothing to rounding for %s', (_, make) => {
    inTidy(() => expect(orthogonalityError(productOf(make(50)))).toBeLessThan(2e-5));
  });

  it('can be differentiated twice', () => {
    const A = example([2, 4, 3]);
    expectGradients(() => tf.tidy(() => productOf(A)), [A]);
    A.dispose();
  });
});
