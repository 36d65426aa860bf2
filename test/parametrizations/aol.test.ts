import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { aol, orthogonal, removeParametrizations } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(aol as Entry, {
  cases: [
    { shape: [4, 3] },
    { shape: [2, 2, 4] },
    { shape: [3, 2, 2, 2], options: { matrix: 'dim' } },
    { shape: [1, 1] },
  ],
  isOnto: false,
});

describeEntryGolden(aol as Entry);

it('aol keeps an orthogonal weight, and only that', () => {
  const host = {
    weight: tf.tidy(() => tf.variable(tf.randomNormal([5, 3], 0, 1, 'float32', 1))) as tf.Tensor,
  };
  orthogonal(host, 'weight');
  removeParametrizations(host, 'weight');
  const value = tf.tidy(() => tf.clone(host.weight));
  aol(host, 'weight');
  inTidy(() => expect(host.weight).toBeAllClose(value, { relative: 0, absolute: 1e-6 }));
  removeParametrizations(host, 'weight');
  tf.dispose([host.weight, value]);
});
