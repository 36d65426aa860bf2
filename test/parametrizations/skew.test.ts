import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../src/nn/index.ts';
import { Skew, skew } from '../../src/parametrizations/index.ts';
import { parametrizationsOn } from '../../src/parametrize/index.ts';
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
  [0, 2, 3],
  [0, 0, 6],
  [0, 0, 0],
];
const turned = [
  [0, 2, 3],
  [-2, 0, 6],
  [-3, -6, 0],
];

describe('Skew', () => {
  it('mirrors the strict upper triangle with the other sign', () => {
    inTidy(() => expect(new Skew().forward(tf.tensor2d(matrix))).toBeAllClose(turned));
  });

  it('has the strict upper triangle as right inverse, so that a skew value is kept', () => {
    const map = new Skew();
    inTidy(() => {
      expect(map.rightInverse(tf.tensor2d(turned))).toBeAllClose(upper);
      expect(map.rightInverse(tf.tensor2d(matrix))).toBeAllClose(upper);
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
        (n, batch) => {
          inTidy(() => {
            const A = map.forward(numbers(...batch, n, n)());
            expect(A).toBeAllClose(
              tf.neg(tf.transpose(A, [...batch.keys(), batch.length + 1, batch.length])),
            );
            expect(map.forward(map.rightInverse(A))).toBeAllClose(A);
          });
        },
      ),
    );
  });

  it('passes gradients of any order to the part above the diagonal', () => {
    const X = parameter(numbers(3, 3));
    expectGradients(() => new Skew().forward(X), [X]);
    inTidy(() => {
      const r = tf.tensor2d(matrix);
      const gradient = tf.grad((x) => tf.sum(tf.mul(r, new Skew().forward(x))))(tf.zeros([3, 3]));
      expect(gradient).toBeAllClose([
        [0, 2 - 4, 3 - 7],
        [0, 0, 6 - 8],
        [0, 0, 0],
      ]);
    });
    X.dispose();
  });
});

describe('skew', () => {
  it('makes the main weight skew-symmetric and keeps it so through training and assignment', () => {
    const host = new Affine();
    expect(skew(host)).toBe(host);
    const expectSkew = (): void =>
      inTidy(() => {
        expect(host.weight).toBeAllClose(tf.neg(tf.transpose(host.weight)), { relative: 0, absolute: 0 });
      });
    expectSkew();
    const before = read(host);
    for (let i = 0; i < 3; i++) train(host);
    expect(read(host)).not.toEqual(before);
    expectSkew();
    const value = tf.tensor2d(turned);
    host.weight = value;
    inTidy(() => {
      expect(host.weight).toBeAllClose(value);
      expect(parametrizationsOn(host, 'weight').original).toBeAllClose(upper);
    });
    value.dispose();
    host.dispose();
  });

  it('changes a weight that is not skew-symmetric: the rest is lost', () => {
    const host = new Affine();
    const value = tf.tensor2d(matrix);
    variableOf(host).assign(value);
    skew(host);
    expect(read(host)).toEqual(turned);
    value.dispose();
    host.dispose();
  });

  it('is zero for a matrix of one element', () => {
    const host = { weight: parameter(numbers(1, 1)) as tf.Tensor };
    skew(host);
    expect(read(host)).toEqual([[0]]);
    parametrizationsOn(host, 'weight').dispose();
  });
});

describeEntryLaws(skew as Entry, {
  cases: [{ shape: [3, 3] }, { shape: [2, 4, 4], options: { lower: true } }, { shape: [1, 1] }],
});

describeEntryGolden(skew as Entry, { isSameMap: () => true });
