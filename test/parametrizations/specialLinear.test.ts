import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { nn, specialLinear } from '../../src/index.ts';
import { tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden, disposeHost, insideOf, registered } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';
import { prepareBase } from './geotorchBase.ts';

describeEntryLaws(specialLinear as Entry, {
  cases: [
    { shape: [3, 3] },
    { shape: [2, 2, 2], options: { orthogonalMap: 'cayley' } },
    { shape: [4, 4], options: { orthogonalMap: 'householder' } },
  ],
});

describeEntryGolden(specialLinear as Entry, { prepare: prepareBase });

describe('specialLinear', () => {
  it.each(insideOf('specialLinear'))('keeps a matrix with a condition number of $condition', async (one) => {
    const value = tensorOf(one.value);
    expect(await specialLinear.contains(value)).toBe(true);
    const host = registered(specialLinear as Entry, value.shape, {});
    inTidy(() => {
      host.weight = value;
      const most = Math.max(...flatten(value).map(Math.abs));
      expect(host.weight).toBeAllClose(value, { relative: 0, absolute: 1e-5 * most });
    });
    disposeHost(host);
    value.dispose();
  });

  it('divides a matrix by the root of its determinant, and negates the last column of Q if that is negative', () => {
    const host = registered(specialLinear as Entry, [2, 2], {});
    inTidy(() => {
      host.weight = tf.tensor2d([
        [8, 0],
        [0, 2],
      ]);
      expect(host.weight).toBeAllClose([2, 0, 0, 0.5], { absolute: 1e-6 });
      host.weight = tf.tensor2d([
        [8, 0],
        [0, -2],
      ]);
      expect(host.weight).toBeAllClose([2, 0, 0, 0.5], { absolute: 1e-6 });
    });
    disposeHost(host);
  });

  it('is 1 for a matrix of one element', () => {
    const host = registered(specialLinear as Entry, [1, 1], {});
    inTidy(() => expect(host.weight).toBeAllClose([1]));
    disposeHost(host);
  });

  it('refuses other determinants, and matrices that are not square', async () => {
    const [twice, flipped] = [
      tf.tensor2d([
        [2, 0],
        [0, 1],
      ]),
      tf.tensor2d([
        [0, 1],
        [1, 0],
      ]),
    ];
    expect(await specialLinear.contains(twice)).toBe(false);
    expect(await specialLinear.contains(flipped)).toBe(false);
    const layer = new nn.Linear(2, 3);
    expect(() => specialLinear(layer)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    expect(layer.parametrizations).toBeUndefined();
    for (const one of [twice, flipped, layer]) one.dispose();
  });
});
