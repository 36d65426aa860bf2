import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { DoublyStochastic, doublyStochastic } from '../../src/index.ts';
import { matrices } from '../ops/matrix/matrixCases.ts';
import { peakOf } from '../peakMemory.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(doublyStochastic as Entry, {
  cases: [
    { shape: [3, 3] },
    { shape: [2, 2, 2], options: { iterations: 50 } },
    { shape: [1, 1], options: { iterations: 1 } },
  ],
  // The sums of the rows converge slowly where a value of 1 stands beside values near 0.
  tolerance: 1e-2,
});

describeEntryGolden(doublyStochastic as Entry);

it('an evaluation holds as few tensors at once for many iterations as for few', () => {
  const X = matrices([16, 16]);
  const peaks = [2, 40].map((iterations) => {
    const map = new DoublyStochastic({ iterations });
    return peakOf(() => tf.tidy(() => void map.forward(X))).bytes;
  });
  expect(peaks[1]).toBe(peaks[0]);
  X.dispose();
});
