import { expect, it } from 'vitest';
import { fixedRank, nn } from '../../src/index.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';
import { prepareBase, thinOriginals } from './geotorchBase.ts';

describeEntryLaws(fixedRank as unknown as Entry, {
  cases: [
    { shape: [4, 3], options: { rank: 2 } },
    { shape: [2, 2, 4], options: { rank: 1, orthogonalMap: 'cayley' } },
    { shape: [3, 2, 2], options: { rank: 2, matrix: 'dim', orthogonalMap: 'householder' } },
    { shape: [3, 2], options: { rank: 1, orthogonalMap: 'householder', useTrivialization: false } },
    { shape: [3, 5], options: { rank: 1 } },
    { shape: [5, 1], options: { rank: 1, orthogonalMap: 'householder' } },
    { shape: [1, 1], options: { rank: 1 } },
  ],
});

describeEntryGolden(fixedRank as unknown as Entry, {
  set: 'lowRank',
  prepare: prepareBase,
  toOriginal: thinOriginals['fixedRank']!,
});

it('fixedRank refuses a missing rank, one above the shorter side, and maps that need a base', () => {
  const layer = new nn.Linear(3, 2);
  expect(() => fixedRank(layer)).toThrow('fixedRank: rank is missing. Pass the rank: { rank: 4 }.');
  expect(() => fixedRank(layer, { rank: 3 })).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  expect(() => fixedRank(layer, { rank: 1, useTrivialization: false })).toThrow(
    "fixedRank: orthogonalMap 'matrixExp' needs the bases that useTrivialization: false leaves out. Pass { orthogonalMap: 'householder' } as well.",
  );
  expect(layer.parametrizations).toBeUndefined();
  layer.dispose();
});
