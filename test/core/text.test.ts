import { expect, it } from 'vitest';
import { joinPath } from '../../src/core/paths.ts';
import { didYouMean, pluralize, typeName } from '../../src/core/text.ts';

it('joins names to a path, of which the root has none', () => {
  expect([joinPath('', 'weight'), joinPath('a.b', 'c'), joinPath('', '')]).toEqual(['weight', 'a.b.c', '']);
});

it('counts things in the plural but for one', () => {
  expect([0, 1, 2000].map((count) => pluralize(count, 'tensor'))).toEqual([
    '0 tensors',
    '1 tensor',
    '2,000 tensors',
  ]);
});

it('suggests a name that is a swap of letters away, and none that is far', () => {
  expect(didYouMean('wieght', ['bias', 'weight'])).toBe(" Did you mean 'weight'?");
  expect(didYouMean('kernel', ['bias', 'weight'])).toBe('');
});

it('names the type of any value', () => {
  const values = [null, undefined, 3, () => 0, new Map(), Object.create(null)];
  expect(values.map(typeName)).toEqual(['null', 'undefined', 'number', 'a function', 'Map', 'Object']);
});
