import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { positiveDefinite, removeParametrizations } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(positiveDefinite as Entry, {
  cases: [{ shape: [4, 4] }, { shape: [2, 3, 3], options: { min: 0.5 } }, { shape: [1, 1] }],
});

describeEntryGolden(positiveDefinite as Entry);

it('positiveDefinite moves negative eigenvalues to near zero and keeps the others', () => {
  const host = { weight: tf.tidy(() => tf.variable(tf.diag(tf.tensor1d([4, -3, 2])))) as tf.Tensor };
  positiveDefinite(host, 'weight');
  inTidy(() =>
    expect(host.weight).toBeAllClose(tf.diag(tf.tensor1d([4, 0, 2])), { relative: 0, absolute: 1e-5 }),
  );
  removeParametrizations(host, 'weight');
  host.weight.dispose();
});
