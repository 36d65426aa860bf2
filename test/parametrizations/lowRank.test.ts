import { expect, it } from 'vitest';
import { lowRank, nn } from '../../src/index.ts';
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
