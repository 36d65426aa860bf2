import { expect, it } from 'vitest';
import { isClass, isCount, isRecord, isThenable } from '../../src/core/guards.ts';

it('takes objects with keys for records, and arrays for none', () => {
  expect([{}, [], null, 'text'].map(isRecord)).toEqual([true, false, false, false]);
});

it('takes whole numbers from 0 on for counts', () => {
  expect([0, 7, -1, 0.5, 2 ** 53, Number.NaN, '1'].map(isCount)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

it('tells classes from functions', () => {
  expect([class {}, class extends Map {}, () => 0, Math.sin].map(isClass)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

it('takes whatever has a then for a promise', () => {
  const other = Object.fromEntries([['then', () => 0]]);
  expect([Promise.resolve(), other, {}, null, undefined].map(isThenable)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
