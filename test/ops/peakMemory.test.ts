import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { cholesky } from '../../src/ops/matrix/cholesky.ts';
import { clipEigenvalues } from '../../src/ops/matrix/clipEigenvalues.ts';
import { inverse } from '../../src/ops/matrix/inverse.ts';
import { matrixExp } from '../../src/ops/matrix/matrixExp.ts';
import { polar } from '../../src/ops/matrix/polar.ts';
import { polarMap } from '../../src/ops/matrix/polarMap.ts';
import { qr } from '../../src/ops/matrix/qr.ts';
import { smith } from '../../src/ops/matrix/smith.ts';
import { sqrtm } from '../../src/ops/matrix/sqrtm.ts';
import { symmetricPart } from '../../src/ops/matrix/symmetricPart.ts';
import { triangularInverse } from '../../src/ops/matrix/triangularInverse.ts';
import { standardize } from '../../src/ops/norm/standardize.ts';
import { peakOf } from '../peakMemory.ts';
import { matrices } from './matrix/matrixCases.ts';

/** Matrices near the identity, which have an inverse and triangular factors. */
const dominant = (n: number): tf.Tensor => tf.add(tf.mul(matrices([1, n, n], 0.1), 1 / n), tf.eye(n));

/** Sizes for functions that take hundreds of products, which are slow on the cpu backend. */
const SMALL = [32, 64];

const functions: Record<string, [compute: (x: tf.Tensor) => unknown, bound: number, sizes?: number[]]> = {
  inverse: [(x) => inverse(x), 40],
  'inverse, numbers unknown': [(x) => inverse(x, () => null), 80],
  triangularInverse: [(x) => triangularInverse(x), 40],
  'triangularInverse, numbers unknown': [(x) => triangularInverse(x, () => null), 40],
  matrixExp: [(x) => matrixExp(x), 80],
  'matrixExp, numbers unknown': [(x) => matrixExp(x, () => null), 120],
  'cholesky of AAᵀ': [(x) => cholesky(tf.matMul(x, x, false, true)), 12],
  'cholesky of AAᵀ, numbers unknown': [(x) => cholesky(tf.matMul(x, x, false, true), () => null), 12],
  clipEigenvalues: [(x) => clipEigenvalues(symmetricPart(x), 0.5), 24, SMALL],
  polar: [(x) => polar(x), 24, SMALL],
  'polar, numbers unknown': [(x) => polar(x, () => null), 24, SMALL],
  'the gradient of polarMap': [(x) => tf.grad((x) => polarMap(x))(x, x), 32, SMALL],
  'smith, numbers unknown': [
    (x) => smith(tf.neg(x), tf.eye(x.shape[2]!).expandDims(0), () => null),
    40,
    SMALL,
  ],
  'sqrtm of AAᵀ': [(x) => sqrtm(tf.matMul(x, x, false, true)), 24, SMALL],
  qr: [(x) => qr(x), 20],
  standardize: [(x) => standardize(x, [2], 1e-5), 8],
};

it.each(Object.entries(functions))(
  '%s holds a few matrices at once, as many of each size',
  (_, [compute, bound, sizes = [128, 256]]) => {
    const counts = sizes.map((n) => {
      const x = tf.tidy(() => dominant(n));
      const { bytes } = peakOf(() => tf.tidy(() => void compute(x)));
      x.dispose();
      return bytes / (4 * n * n);
    });
    for (const count of counts) expect(count).toBeLessThan(bound);
    // More for the larger size would grow without end.
    expect(counts[1]! / counts[0]!).toBeLessThan(1.5);
  },
);
