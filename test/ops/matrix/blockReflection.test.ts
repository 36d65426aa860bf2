import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reflectionFactor, reflectionProduct } from '../../../src/ops/matrix/blockReflection.ts';
import { tril } from '../../../src/ops/matrix/triangular.ts';
import { definition, rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { peakOf } from '../../peakMemory.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, readers } from './matrixCases.ts';

describe.each(readers)('reflectionFactor, %s', (_, numbers) => {
  it('is a T of which no entry is above 4', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (n, common) => {
          inTidy(() => {
            const X = tf.add(matrices([1, n, n]), 3 * common);
            const V = tf.div(X, tf.sqrt(tf.sum(tf.square(X), 1, true)));
            expect(Math.max(...flatten(reflectionFactor(V, numbers)).map(Math.abs))).toBeLessThan(4.001);
          });
        },
      ),
    );
  });
});

describe.each(readers)('reflectionProduct, %s', (_, numbers) => {
  it.each([
    [1, 1, 1, 1],
    [2, 5, 3, 3],
    [2, 5, 3, 4],
    [2, 5, 3, 5],
    [1, 40, 33, 33],
    [2, 70, 66, 70],
    [1, 64, 64, 64],
  ])(
    'has the columns of the product of the reflections: b = %i, n = %i, k = %i, %i columns',
    (b, n, k, m) => {
      inTidy(() => {
        const vectors = tril(matrices([b, n, k], 0.5, k), -1);
        const found = reflectionProduct(vectors, m, numbers);
        expect(found.shape).toEqual([b, n, m]);
        // More reflections, along their own axes, which a minus on the diagonal undoes.
        const wanted = tf.split(vectors, b).flatMap((matrix) => {
          const rows = rowsOf(flatten(matrix), k).map((row, i) =>
            Array.from({ length: m }, (_, j) => (i === j ? (j < k ? 1 : -1) : (row[j] ?? 0))),
          );
          return definition('householder', rows).flat();
        });
        expect(flatten(found)).toBeAllClose(wanted, { relative: 0, absolute: 5e-6 });
      });
    },
  );

  it('holds a few matrices of the size of its own at once, however many reflections there are', () => {
    for (const [n, k] of [
      [160, 160],
      [300, 80],
    ] as const) {
      // biome-ignore format: shapes
      inTidy(() => {
        const vectors = tril(matrices([1, n, k], 0.5), -1);
        const { tensors, bytes } = peakOf(() => reflectionProduct(vectors, n, numbers));
        expect(bytes / (4 * n * n)).toBeLessThan(7);
        expect(tensors).toBeLessThan(80);
      });
    }
  });
});
