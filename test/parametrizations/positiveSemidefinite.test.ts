import { expect, it } from 'vitest';
import { nn, positiveSemidefinite } from '../../src/index.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(positiveSemidefinite as Entry, {
  cases: [
    { shape: [4, 4], options: { rank: 2 } },
    { shape: [2, 3, 3] },
    { shape: [5, 5], options: { rank: 1 } },
    { shape: [1, 1] },
  ],
});

describeEntryGolden(positiveSemidefinite as Entry, {
  nearest: 1e-5,
  options: ({ rank }) => ({ rank }),
});

it('positiveSemidefinite refuses a rank above the size, and weights that are not square', () => {
  const layers = [new nn.Linear(3, 3), new nn.Linear(2, 3)] as const;
  expect(() => positiveSemidefinite(layers[0], { rank: 4 })).toThrow(
    'positiveSemidefinite: rank 4 is above the size of the matrices of shape [3, 3]. Pass a rank of at most 3.',
  );
  expect(() => positiveSemidefinite(layers[1])).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  for (const layer of layers) {
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  }
});
