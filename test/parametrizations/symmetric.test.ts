import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../src/nn/index.ts';
import { Symmetric, symmetric } from '../../src/parametrizations/index.ts';
import { parametrizationsOn, registerParametrization } from '../../src/parametrize/index.ts';
import { expectGradients } from '../nn/gradientCheck.ts';
import { Affine, inTidy, numbers, read, train, variableOf } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

const matrix = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];
const upper = [
  [1, 2, 3],
  [0, 5, 6],
  [0, 0, 9],
];
const mirrored = [
  [1, 2, 3],
  [2, 5, 6],
  [3, 6, 9],
];

describe('Symmetric', () => {
  it('mirrors the upper triangle, diagonal included', () => {
    inTidy(() => expect(new Symmetric().forward(tf.tensor2d(matrix))).toBeAllClose(mirrored));
  });

  it('has the upper triangle as right inverse, so that a symmetric value is kept', () => {
    const map = new Symmetric();
    inTidy(() => {
      expect(map.rightInverse(tf.tensor2d(mirrored))).toBeAllClose(upper);
      expect(map.rightInverse(tf.tensor2d(matrix))).toBeAllClose(upper);
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
        (n, batch) => {
          inTidy(() => {
            const A = map.forward(numbers(...batch, n, n)());
            expect(A).toBeAllClose(tf.transpose(A, [...batch.keys(), batch.length + 1, batch.length]));
            expect(map.forward(map.rightInverse(A))).toBeAllClose(A);
          });
        },
      ),
    );
  });

  it('passes gradients of any order to the upper triangle, twice to what stands twice', () => {
    const X = parameter(numbers(3, 3));
    expectGradients(() => new Symmetric().forward(X), [X]);
    inTidy(() => {
      const gradient = tf.grad((x) => tf.sum(new Symmetric().forward(x)))(tf.zeros([3, 3]));
      expect(gradient).toBeAllClose([
        [1, 2, 2],
        [0, 1, 2],
        [0, 0, 1],
      ]);
    });
    X.dispose();
  });

  it('keeps infinities and NaN where they stand', () => {
    inTidy(() => {
      const A = new Symmetric().forward(
        tf.tensor2d([
          [1, Number.POSITIVE_INFINITY],
          [Number.NaN, 2],
        ]),
      );
      expect(A).toBeAllClose([1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 2]);
    });
  });
});

describe('symmetric', () => {
  it('makes the main weight symmetric and keeps it so through training and assignment', () => {
    const host = new Affine();
    expect(symmetric(host)).toBe(host);
    const expectSymmetric = (): void =>
      inTidy(() => {
        expect(host.weight).toBeAllClose(tf.transpose(host.weight), { relative: 0, absolute: 0 });
      });
    expectSymmetric();
    const before = read(host);
    for (let i = 0; i < 3; i++) train(host);
    expect(read(host)).not.toEqual(before);
    expectSymmetric();
    const value = tf.tensor2d(mirrored);
    host.weight = value;
    inTidy(() => {
      expect(host.weight).toBeAllClose(value);
      expect(parametrizationsOn(host, 'weight').original).toBeAllClose(upper);
    });
    value.dispose();
    host.dispose();
  });

  it('is pure, also on top of another pure map', () => {
    const host = new Affine();
    symmetric(host);
    symmetric(host);
    expect(host.weight).toBe(host.weight);
    registerParametrization(host, 'weight', (x) => x);
    inTidy(() => expect(host.weight).not.toBe(host.weight));
    host.dispose();
  });

  it('takes another tensor by name', () => {
    const host = { kernel: parameter(numbers(2, 2)) as tf.Tensor };
    symmetric(host, 'kernel');
    inTidy(() => expect(host.kernel).toBeAllClose(tf.transpose(host.kernel)));
    parametrizationsOn(host, 'kernel').dispose();
  });

  it('keeps a symmetric weight bit by bit', () => {
    const host = new Affine();
    const value = tf.tensor2d(mirrored);
    variableOf(host).assign(value);
    symmetric(host);
    expect(read(host)).toEqual(mirrored);
    value.dispose();
    host.dispose();
  });
});

describeEntryLaws(symmetric as Entry, {
  cases: [{ shape: [3, 3] }, { shape: [2, 4, 4], options: { lower: true } }, { shape: [1, 1] }],
});

describeEntryGolden(symmetric as Entry, { isSameMap: () => true });
