import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { nn, zeroMean } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
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

describeEntryGolden(zeroMean as Entry);
