import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { lowRank, nn, parametrizationsOn } from '../../src/index.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(lowRank as unknown as Entry, {
  cases: [
    { shape: [5, 3], options: { rank: 2 } },
    { shape: [2, 2, 4], options: { rank: 1 } },
    { shape: [3, 2, 2, 2], options: { rank: 2, matrix: 'dim' } },
    { shape: [2, 3, 2], options: { rank: 1, matrix: 'dim', dim: -2 } },
    { shape: [1, 1], options: { rank: 1 } },
  ],
});

// The nearest matrix of a rank to 1 %.
describeEntryGolden(lowRank as unknown as Entry, { nearest: 0.1 });

it('lowRank refuses a missing rank and one above the shorter side', () => {
  const layer = new nn.Linear(3, 2);
  expect(() => lowRank(layer)).toThrow('lowRank: rank is missing. Pass the largest rank: { rank: 4 }.');
  expect(() => lowRank(layer, { rank: 3 })).toThrow(
    'lowRank: rank 3 is above the shorter side of the matrices of shape [2, 3]. Pass a rank of at most 2.',
  );
  expect(layer.parametrizations).toBeUndefined();
  layer.dispose();
});

it('lowRank gives a weight of lower rank a column of zeros in V beside a column of length 1 in U, which trains at once', () => {
  const host = { weight: tf.tidy(() => tf.variable(tf.outerProduct([1, 2, -1, 0.5], [3, 1, 2]))) };
  lowRank(host, 'weight', { rank: 2 });
  const { U, V } = parametrizationsOn(host, 'weight') as unknown as Record<'U' | 'V', tf.Variable>;
  tf.tidy(() => {
    const lengths = [U, V].map((factor) => flatten(tf.norm(factor, 2, 0)));
    const at = lengths[1]!.indexOf(0);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(lengths[0]![at]).toBeCloseTo(1, 5);
  });
  (parametrizationsOn(host, 'weight') as unknown as { dispose(): void }).dispose();
});
