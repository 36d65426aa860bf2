import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostValues } from '../../../src/engine/hostValues.ts';
import { matrixExp } from '../../../src/ops/matrix/matrixExp.ts';
import { example, expectGradients } from '../../nn/gradientCheck.ts';
import { exponential, rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, orthogonalityError, readers } from './matrixCases.ts';

/** `X − Xᵀ` */
const skewOf = (x: tf.Tensor): tf.Tensor => tf.sub(x, tf.transpose(x, [0, 2, 1]));

describe.each(readers)('matrixExp, %s', (_, numbers) => {
  const exp = (A: tf.Tensor): tf.Tensor => matrixExp(A, numbers);

  it('is the exponential in float64, of every matrix of a batch by its own size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 40 }), (n, seed) => {
        inTidy(() => {
          const A = tf.concat([
            matrices([1, n, n], 1e-3, seed),
            matrices([1, n, n], 0.7, seed),
            matrices([1, n, n], 3, seed),
          ]);
          const found = exp(A);
          expect(found.shape).toEqual([3, n, n]);
          tf.split(A, 3).forEach((matrix, i) => {
            const wanted = exponential(rowsOf(flatten(matrix), n)).flat();
            const largest = Math.max(...wanted.map(Math.abs), 1);
            const result = tf.slice(found, [i, 0, 0], [1, n, n]);
            expect(flatten(result)).toBeAllClose(wanted, { relative: 0, absolute: 2e-5 * largest });
          });
        });
      }),
    );
  });

  it('is I of a zero matrix, exactly', () => {
    inTidy(() => expect(flatten(exp(tf.zeros([1, 3, 3])))).toEqual(flatten(tf.eye(3))));
  });

  it('squares as often as the matrix needs: rotations by angles up to a thousand', () => {
    for (const angle of [0.01, 0.05, 0.1, 0.7, 0.9, 1, 1.4, 1.6, 2.4, 2.6, 40, 300, 1000]) {
      inTidy(() => {
        const rotation = exp(tf.tensor3d([[[0, -angle], [angle, 0]]])); // biome-ignore format: a matrix
        const rounded = Math.fround(angle);
        const [c, s] = [Math.cos(rounded), Math.sin(rounded)];
        expect(flatten(rotation)).toBeAllClose([c, -s, s, c], { relative: 0, absolute: 1e-6 * (1 + angle) });
      });
    }
  });

  it.each([1e4, 1e10, 1e30])('of a skew matrix of entries of %d is finite and orthogonal', (scale) => {
    inTidy(() => {
      const Q = exp(skewOf(matrices([2, 8, 8], scale)));
      expect(orthogonalityError(Q)).toBeLessThan(1e-3);
    });
  });

  it('can be differentiated twice, whether it squares or not', () => {
    for (const scale of [0.01, 0.1, 0.3, 0.6, 1.4]) {
      const A = example([2, 3, 3], scale);
      expectGradients(() => tf.tidy(() => tf.mul(exp(A), 0.2)), [A]);
      A.dispose();
    }
  });
});

describe('matrixExp, where the numbers are known', () => {
  it('takes as many products as the largest matrix needs, all of them where they are not', async () => {
    for (const [angles, products] of [
      [[0], 2],
      [[0.04], 2],
      [[0.5], 4],
      [[0.04, 0.5], 4],
      [[1], 5],
      [[0.04, 1], 5],
      [[1.8], 6],
      [[4], 7],
      [[6], 8],
      [[0.04, 6], 8],
    ] as const) {
      // biome-ignore format: matrices
      const A = tf.tensor3d(angles.map((angle) => [[0, -angle], [angle, 0]]));
      const { kernels } = await tf.profile(() => tf.tidy(() => void matrixExp(A, hostValues)));
      const isKnown = hostValues(A) !== null;
      A.dispose();
      const found = kernels.filter(({ name }) => name === 'BatchMatMul').length;
      expect(found, String(angles)).toBe(isKnown ? products : 15);
    }
  });
});
