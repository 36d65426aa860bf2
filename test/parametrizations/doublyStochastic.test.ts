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

it('makes as many iterations as it is told: each divides the rows by their sums, then the columns', () => {
  const X = [
    [0, 3, -1],
    [2, -2, 1],
    [0.5, 1, 4],
  ];
  for (const iterations of [1, 2, 3]) {
    let W = X.map((row) => row.map(Math.exp));
    for (let i = 0; i < iterations; i++) {
      W = W.map((row) => row.map((x) => x / row.reduce((a, b) => a + b)));
      const sums = W[0]!.map((_, j) => W.reduce((sum, row) => sum + row[j]!, 0));
      W = W.map((row) => row.map((x, j) => x / sums[j]!));
    }
    tf.tidy(() => {
      const value = new DoublyStochastic({ iterations }).forward(tf.tensor2d(X));
      expect(value).toBeAllClose(tf.tensor2d(W), { absolute: 1e-6 });
    });
  }
});
