import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostValues } from '../../../src/engine/hostValues.ts';
import { absolute } from '../../../src/ops/matrix/absolute.ts';
import { cholesky } from '../../../src/ops/matrix/cholesky.ts';
import { clipEigenvalues } from '../../../src/ops/matrix/clipEigenvalues.ts';
import { psd } from '../../../src/ops/matrix/psd.ts';
import { symmetricPart } from '../../../src/ops/matrix/symmetricPart.ts';
import { norm } from '../../../src/ops/norm/norm.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { matrices, withEigenvalues } from './matrixCases.ts';

/** The functions, and what they do to an eigenvalue. */
const functions = {
  absolute: { ours: absolute, scalar: Math.abs },
  'psd at 0': { ours: (S: tf.Tensor) => psd(S, 0), scalar: (x: number) => Math.max(x, 0) },
  'psd at 0.1': { ours: (S: tf.Tensor) => psd(S, 0.1), scalar: (x: number) => Math.max(x, 0.1) },
  'psd at a floor for each matrix': {
    ours: (S: tf.Tensor) => psd(S, tf.fill([S.shape[0]!, 1, 1], 0.1)),
    scalar: (x: number) => Math.max(x, 0.1),
  },
  clipEigenvalues: {
    ours: (S: tf.Tensor) => clipEigenvalues(S, 0.3),
    scalar: (x: number) => Math.max(-0.3, Math.min(x, 0.3)),
  },
};

const spectra: Record<string, (x: number) => number> = {
  'of both signs': (x) => 2 * x - 1,
  'of many sizes': (x) => (x < 0.5 ? -1 : 1) * 1e-6 ** x,
  'that are positive': (x) => 0.2 + x,
  'that are negative': (x) => -0.2 - x,
  'that are mostly zero': (x) => (x < 0.3 ? -1 : x > 0.8 ? 1 : 0),
  'that are equal': () => 0.7,
  'on the limits': (x) => (x < 0.5 ? 0.1 : -0.3),
};

describe.each(Object.entries(functions))('%s', (_, { ours, scalar }) => {
  it.each(Object.entries(spectra))('maps the eigenvalues, %s', (_, spectrum) => {
    inTidy(() => {
      for (const n of [1, 2, 24]) {
        const result = ours(withEigenvalues(n, spectrum));
        const wanted = withEigenvalues(n, (x) => scalar(spectrum(x)));
        expect(result).toBeAllClose(wanted, { relative: 0, absolute: 6e-7 });
        expect(result).toBeAllClose(tf.transpose(result, [0, 2, 1]), { relative: 0, absolute: 0 });
      }
    });
  });
});

describe('absolute', () => {
  it('squares to the square, for every size and batch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), fc.nat(50), (n, b, seed) =>
        inTidy(() => {
          const S = symmetricPart(matrices([b, n, n], 1, seed));
          const A = absolute(S);
          expect(tf.matMul(A, A)).toBeAllClose(tf.matMul(S, S), { relative: 0, absolute: 2e-6 * n });
        }),
      ),
      { numRuns: 10 },
    );
  });

  it.each([1e-20, 1e20])('scales with the matrix: %d', (scale) => {
    inTidy(() => {
      const S = symmetricPart(matrices([1, 5, 5]));
      const wanted = absolute(S);
      expect(tf.div(absolute(tf.mul(S, scale)), scale)).toBeAllClose(wanted, { absolute: 3e-6 });
    });
  });

  it('of zeros is zero', () => {
    inTidy(() => expect(absolute(tf.zeros([2, 3, 3]))).toBeAllClose(tf.zeros([2, 3, 3]), { absolute: 0 }));
  });
});

describe('psd', () => {
  it.each([
    ['of both signs', (x: number) => 2 * x - 1],
    ['zero or one', (x: number) => (x < 0.5 ? 0 : 1)],
    ['of many sizes', (x: number) => 1e-6 ** x],
    ['negative', (x: number) => -x],
  ])('of a millionth of the norm has a Cholesky factor: eigenvalues that are %s', (_, spectrum) => {
    inTidy(() => {
      const S = withEigenvalues(48, spectrum);
      const V = psd(S, tf.mul(1e-6, norm(S, [1, 2])));
      for (const read of [hostValues, () => null]) {
        const L = cholesky(V, read);
        expect(tf.matMul(L, L, false, true)).toBeAllClose(V, { relative: 0, absolute: 5e-7 });
      }
    });
  });

  it('raises zeros to the floor', () => {
    inTidy(() => {
      const wanted = tf.mul(tf.eye(3), 0.5);
      expect(psd(tf.zeros([1, 3, 3]), 0.5)).toBeAllClose(tf.expandDims(wanted), { absolute: 1e-7 });
    });
  });
});
