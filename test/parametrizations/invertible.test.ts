import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { invertible, nn } from '../../src/index.ts';
import { tensorOf } from '../nn/golden.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden, disposeHost, insideOf, registered } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';
import { prepareBase } from './geotorchBase.ts';

describeEntryLaws(invertible as Entry, {
  cases: [
    { shape: [3, 3] },
    { shape: [2, 2, 2], options: { orthogonalMap: 'cayley' } },
    { shape: [4, 4], options: { orthogonalMap: 'householder' } },
    { shape: [1, 1] },
  ],
});

describeEntryGolden(invertible as Entry, { prepare: prepareBase });

describe('invertible', () => {
  it.each(insideOf('invertible'))('keeps a matrix with a condition number of $condition', async (one) => {
    const value = tensorOf(one.value);
    expect(await invertible.contains(value)).toBe(true);
    const host = registered(invertible as Entry, value.shape, {});
    inTidy(() => {
      host.weight = value;
      const most = Math.max(...flatten(value).map(Math.abs));
      expect(host.weight).toBeAllClose(value, { relative: 0, absolute: 2e-6 * most });
    });
    disposeHost(host);
    value.dispose();
  });

  it('keeps the sign of the determinant under training towards the other', () => {
    const layer = new nn.Linear(2, 2, { bias: false });
    tf.tidy(() =>
      (layer.weight as tf.Variable).assign(
        tf.tensor2d([
          [0, 1],
          [1, 0],
        ]),
      ),
    );
    invertible(layer);
    const optimizer = tf.train.sgd(0.1);
    const target = tf.eye(2);
    for (let i = 0; i < 30; i++) {
      optimizer.minimize(() => tf.sum(tf.squaredDifference(layer.weight, target)), false, layer.parameters());
    }
    const [a, b, c, d] = tf.tidy(() => flatten(layer.weight)) as [number, number, number, number];
    expect(a * d - b * c).toBeLessThan(0);
    for (const one of [layer, optimizer, target]) one.dispose();
  });

  it('refuses singular matrices and those that are not square', async () => {
    const [singular, tall] = [tf.ones([2, 2]), tf.ones([3, 2])];
    expect(await invertible.contains(singular)).toBe(false);
    expect(await invertible.contains(tall)).toBe(false);
    const layer = new nn.Linear(2, 3);
    expect(() => invertible(layer)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    expect(() => invertible.sample([3, 2])).toThrow(expect.objectContaining({ code: 'SHAPE' }));
    expect(layer.parametrizations).toBeUndefined();
    for (const one of [singular, tall, layer]) one.dispose();
  });
});
