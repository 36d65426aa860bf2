import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { nn, removeParametrizations, zeroMean } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(zeroMean as Entry, {
  cases: [
    { shape: [4, 3] },
    { shape: [2, 3, 2], options: { axis: [0, -1] } },
    { shape: [3, 4], options: { axis: 1 } },
    { shape: [7] },
  ],
});

it('zeroMean moves a weight to the nearest weight with mean zero', () => {
  const layer = new nn.Linear(2, 2, { bias: false });
  inTidy(() => {
    (layer.weight as tf.Variable).assign(
      tf.tensor2d([
        [1, 5],
        [4, 5],
      ]),
    );
    expect(zeroMean(layer).weight).toBeAllClose([-1.5, 0, 1.5, 0]);
  });
  layer.dispose();
});

it('zeroMean makes a vector of equal elements exactly zero, also where float32 rounds its mean', () => {
  const host = { weight: tf.tidy(() => tf.variable(tf.fill([11, 7], 0.1))) as tf.Tensor };
  zeroMean(host, 'weight', { axis: 0 });
  inTidy(() => expect(flatten(host.weight)).toEqual(new Array(77).fill(0)));
  removeParametrizations(host, 'weight');
  host.weight.dispose();
});

describeEntryGolden(zeroMean as Entry);
