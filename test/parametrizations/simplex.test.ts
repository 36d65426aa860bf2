import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { nn, parametrizationsOn, removeParametrizations, simplex } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(simplex as Entry, {
  cases: [
    { shape: [4, 3] },
    { shape: [2, 3, 2], options: { axis: 1 } },
    { shape: [3, 2], options: { axis: 0 } },
    { shape: [7] },
    { shape: [1, 1] },
  ],
});

it('a positive vector with another sum keeps its proportions, and other elements get a thousandth of an even part', () => {
  const host = { weight: tf.tidy(() => tf.variable(tf.tensor1d([6, -4, 2, 0]))) as tf.Tensor };
  simplex(host, 'weight');
  const sum = 8 + 2 * 8 * 2.5e-4;
  inTidy(() => expect(host.weight).toBeAllClose([6, 8 * 2.5e-4, 2, 8 * 2.5e-4].map((part) => part / sum)));
  removeParametrizations(host, 'weight');
  host.weight.dispose();
});

it('the original of a simplex has the mean zero, and gets no larger with the number of elements', () => {
  const host = { weight: tf.tidy(() => tf.variable(tf.fill([2, 50], 0.02))) as tf.Tensor };
  simplex(host, 'weight', { axis: 1 });
  const { original } = parametrizationsOn(host, 'weight');
  inTidy(() => {
    expect(original!).toBeAllClose(tf.zeros([2, 50]), { absolute: 1e-6 });
    host.weight = tf.softmax(tf.randomNormal([2, 50], 0, 2, 'float32', 3));
    expect(tf.mean(original!, 1)).toBeAllClose([0, 0], { absolute: 1e-5 });
  });
  removeParametrizations(host, 'weight');
  host.weight.dispose();
});

it('simplex refuses an axis that the tensor lacks, and changes nothing', async () => {
  const layer = new nn.Linear(2, 2, { bias: false });
  expect(() => simplex(layer, { axis: 2 })).toThrow(expect.objectContaining({ code: 'OPTION' }));
  expect(Object.keys(layer.stateDict())).toEqual(['weight']);
  expect(await simplex.contains(layer.weight, 1e-4, { axis: 2 })).toBe(false);
  layer.dispose();
});

describeEntryGolden(simplex as Entry);
