import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { transpose } from '../../../src/ops/matrix/transpose.ts';
import { tril, triu } from '../../../src/ops/matrix/triangular.ts';
import { rowsOf } from '../../parametrizations/orthogonalDefinition.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices } from './matrixCases.ts';

it('triu and tril keep the entries of their triangle, of every matrix of a batch, and add up to it', () => {
  const size = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(size, size, size, fc.integer({ min: -5, max: 5 }), (b, m, n, diagonal) => {
      inTidy(() => {
        const x = matrices([b, m, n]);
        const wanted = rowsOf(flatten(x), n).map((row, i) =>
          row.map((value, j) => (j - (i % m) >= diagonal ? value : 0)),
        );
        expect(flatten(triu(x, diagonal))).toEqual(wanted.flat());
        expect(flatten(tf.add(triu(x, diagonal), tril(x, diagonal - 1)))).toEqual(flatten(x));
        expect(flatten(transpose(tril(x, diagonal)))).toEqual(flatten(triu(transpose(x), -diagonal)));
      });
    }),
  );
});
