import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostValues } from '../../../src/engine/hostValues.ts';
import { cholesky } from '../../../src/ops/matrix/cholesky.ts';
import { smith } from '../../../src/ops/matrix/smith.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { matrices, readers } from './matrixCases.ts';

const transposed = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, 2, 1]);

/** `S − GGᵀ/n − margin·I` with a skew S, whose eigenvalues have real parts below −margin. */
const stable = (b: number, n: number, seed = 1, margin = 0.05): tf.Tensor => {
  const G = matrices([b, n, n], 1, seed);
  const damping = tf.add(tf.div(tf.matMul(G, G, false, true), n), tf.mul(tf.eye(n), margin));
  return tf.sub(tf.sub(G, transposed(G)), damping);
};

const identities = (b: number, n: number): tf.Tensor => tf.tile(tf.expandDims(tf.eye(n)), [b, 1, 1]);
const largest = (x: tf.Tensor): number => Math.max(...flatten(x).map(Math.abs));

describe.each(readers)('smith, %s', (_, numbers) => {
  it('solves the equation of stable matrices, for every size and batch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 3 }), fc.nat(50), (n, b, seed) =>
        inTidy(() => {
          const [A, C] = [stable(b, n, seed), identities(b, n)];
          const { P, residual } = smith(A, C, numbers);
          const half = tf.matMul(P, A);
          const sum = tf.add(tf.add(half, transposed(half)), C);
          expect(largest(sum)).toBeLessThan(1e-5 * largest(P) * largest(A));
          expect(residual.shape).toEqual([b, 1, 1]);
          expect(largest(residual)).toBeLessThan(1e-3);
          expect(P).toBeAllClose(transposed(P), { absolute: 0, relative: 0 });
          expect(flatten(cholesky(P, hostValues)).every(Number.isFinite)).toBe(true);
        }),
      ),
      { numRuns: 4 },
    );
  });

  it('solves it for 48 columns and another C', () => {
    inTidy(() => {
      const G = matrices([1, 48, 48]);
      const [A, C] = [stable(1, 48), tf.matMul(G, G, false, true)];
      const { P, residual } = smith(A, C, numbers);
      const half = tf.matMul(P, A);
      expect(largest(tf.add(tf.add(half, transposed(half)), C))).toBeLessThan(1e-5 * largest(P) * largest(A));
      expect(largest(residual)).toBeLessThan(1e-3);
    });
  });

  it.each([1e-15, 1e15])('divides the solution by the scale %d', (scale) => {
    inTidy(() => {
      const [A, C] = [stable(1, 5), identities(1, 5)];
      const { P, residual } = smith(tf.mul(A, scale), C, numbers);
      expect(tf.mul(P, scale)).toBeAllClose(smith(A, C, numbers).P, { relative: 1e-4, absolute: 1e-4 });
      expect(largest(residual)).toBeLessThan(1e-3);
    });
  });

  it.each([
    ['zeros', [0, 0, 0, 0]],
    ['the identity', [1, 0, 0, 1]],
    ['one growing direction', [-1, 0, 0, 0.01]],
    ['a rotation', [0, 1, -1, 0]],
    ['a singular matrix', [-1, 0, 0, 0]],
    ['a saddle', [1, 0, 0, -1]],
    ['equal numbers', [1, 1, 1, 1]],
    ['a nilpotent matrix', [0, 1, 0, 0]],
  ])('has a large residual for a matrix that is not stable: %s', (_, matrix) => {
    inTidy(() => {
      const { residual } = smith(tf.tensor(matrix, [1, 2, 2]), identities(1, 2), numbers);
      expect(largest(residual)).toBeGreaterThan(0.1);
      expect(Number.isFinite(largest(residual))).toBe(true);
    });
  });

  it('judges each matrix of a batch alone', () => {
    inTidy(() => {
      const A = tf.concat([stable(1, 3), tf.neg(stable(1, 3)), stable(1, 3, 5)]);
      const isStable = flatten(smith(A, identities(3, 3), numbers).residual).map((x) => x < 0.1);
      expect(isStable).toEqual([true, false, true]);
    });
  });
});
