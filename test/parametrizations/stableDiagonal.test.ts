import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { stableDiagonal } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden, disposeHost } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(stableDiagonal as Entry, {
  cases: [{ shape: [4, 3] }, { shape: [2, 3, 2] }, { shape: [7] }, { shape: [1, 1] }],
});

it('stableDiagonal limits elements to between 1e-6 and 1 − 1e-6', () => {
  const numbers = [-3, 0, 1e-6, 0.999, 1, 7];
  const host: { weight: tf.Tensor } = { weight: tf.tidy(() => tf.variable(tf.tensor1d(numbers))) };
  stableDiagonal(host, 'weight');
  inTidy(() => {
    expect(host.weight).toBeAllClose([1e-6, 1e-6, 1e-6, 0.999, 1 - 1e-6, 1 - 1e-6], { relative: 1e-4 });
    expect(tf.less(host.weight, 1).dataSync().every(Boolean)).toBe(true);
  });
  disposeHost(host);
});

describeEntryGolden(stableDiagonal as Entry);
