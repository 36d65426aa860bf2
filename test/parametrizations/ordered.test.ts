import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { ordered } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden, disposeHost } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(ordered as Entry, {
  cases: [
    { shape: [4, 3] },
    { shape: [2, 3, 2], options: { axis: 1 } },
    { shape: [3, 2], options: { axis: 0 } },
    { shape: [7] },
    { shape: [1, 1] },
  ],
});

it('a difference of 0 or below becomes a thousandth of the mean difference of its vector', () => {
  const numbers = tf.tidy(() =>
    tf.variable(
      tf.tensor2d([
        [0, 3, 1, 1],
        [5, 5, 5, 5],
      ]),
    ),
  );
  const host: { weight: tf.Tensor } = { weight: numbers };
  ordered(host, 'weight');
  const least = (1e-3 * 5) / 3;
  inTidy(() => {
    expect(host.weight).toBeAllClose([0, 3, 3 + least, 3 + 2 * least, 5, 5, 5, 5], { absolute: 1e-5 });
  });
  disposeHost(host);
});

describeEntryGolden(ordered as Entry);
