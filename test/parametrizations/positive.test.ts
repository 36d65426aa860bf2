import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { positive, removeParametrizations } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(positive as Entry, {
  cases: [
    { shape: [4, 3] },
    { shape: [2, 3, 2], options: { map: 'exp' } },
    { shape: [7], options: { min: -0.5 } },
    { shape: [1, 1], options: { map: 'exp', min: 2 } },
  ],
});

it('an element at the bound moves to near it, in proportion to the others', () => {
  const host = { weight: tf.tidy(() => tf.variable(tf.tensor1d([0, -1, 8]))) as tf.Tensor };
  positive(host, 'weight');
  inTidy(() => expect(host.weight).toBeAllClose([0.003, 0.003, 8]));
  removeParametrizations(host, 'weight');
  host.weight.dispose();
});

describeEntryGolden(positive as Entry);
