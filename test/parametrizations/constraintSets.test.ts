import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { maxNorm, minMaxNorm, nonNeg, unitNorm } from '../../src/index.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(nonNeg as Entry, { cases: [{ shape: [4, 3] }, { shape: [7] }] });

describeEntryLaws(maxNorm as Entry, {
  cases: [{ shape: [4, 3] }, { shape: [2, 3, 2], options: { axis: [0, -1], maxValue: 0.5 } }],
});

describeEntryLaws(minMaxNorm as Entry, {
  cases: [{ shape: [4, 3] }, { shape: [2, 3], options: { axis: 1, maxValue: 2 } }],
});

it('unitNorm draws vectors of norm 1, and tells them from others, such as zeros, which it cannot move', async () => {
  const [value, columns] = [unitNorm.sample([4, 3]), unitNorm.sample([4, 3], { axis: 1 })];
  const others = tf.tidy(() => [tf.zeros([4, 3]), tf.mul(value, 1.001)]);
  expect(await unitNorm.contains(value)).toBe(true);
  expect(await unitNorm.contains(value, 1e-4, { axis: 1 })).toBe(false);
  expect(await unitNorm.contains(value, 1e-4, { axis: 2 })).toBe(false);
  expect(await unitNorm.contains(columns, 1e-4, { axis: 1 })).toBe(true);
  for (const other of others) expect(await unitNorm.contains(other)).toBe(false);
  tf.dispose([value, columns, others]);
});

it('minMaxNorm draws norms between its limits, and refuses others', async () => {
  const options = { minValue: 0.9, maxValue: 1 };
  const value = minMaxNorm.sample([4, 3], options);
  const others = tf.tidy(() => [tf.mul(value, 1.2), tf.mul(value, 0.8), tf.zeros([4, 3])]);
  expect(await minMaxNorm.contains(value, 1e-4, options)).toBe(true);
  for (const other of others) expect(await minMaxNorm.contains(other, 1e-4, options)).toBe(false);
  tf.dispose([value, others]);
});

it('nonNeg and maxNorm refuse values outside of their sets', async () => {
  const value = tf.tensor1d([3, -0.1]);
  expect(await nonNeg.contains(value)).toBe(false);
  expect(await maxNorm.contains(value)).toBe(false);
  expect(await maxNorm.contains(value, 1e-4, { maxValue: 3.1 })).toBe(true);
  value.dispose();
});
