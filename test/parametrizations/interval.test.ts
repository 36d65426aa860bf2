import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { interval, nn, removeParametrizations } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(interval as Entry, {
  cases: [
    { shape: [4, 3] },
    { shape: [2, 3, 2], options: { min: -2, max: 3 } },
    { shape: [7], options: { min: 5, max: 5.5 } },
    { shape: [1, 1], options: { min: -1 } },
  ],
});

it('an element at a bound of interval or beyond moves to near this bound', () => {
  const host = { weight: tf.tidy(() => tf.variable(tf.tensor1d([-2, -9, 0.5, 3, 1e18]))) as tf.Tensor };
  interval(host, 'weight', { min: -2, max: 3 });
  inTidy(() => expect(host.weight).toBeAllClose([-1.995, -1.995, 0.5, 2.995, 2.995]));
  removeParametrizations(host, 'weight');
  host.weight.dispose();
});

it('interval keeps elements that are as near to a bound as float32 allows', () => {
  const numbers = [1e-30, 1e-7, 0.5, 1 - 2 ** -20, 1 - 2 ** -23];
  const host = { weight: tf.tidy(() => tf.variable(tf.tensor1d(numbers))) as tf.Tensor };
  interval(host, 'weight');
  inTidy(() => expect(host.weight).toBeAllClose(numbers, { relative: 1e-5, absolute: 0 }));
  removeParametrizations(host, 'weight');
  host.weight.dispose();
});

it('interval refuses bounds in the wrong order, and bounds that float32 cannot tell apart', () => {
  const layer = new nn.Linear(2, 2);
  for (const options of [
    { min: 1 },
    { min: 3, max: 2 },
    { min: 1e9, max: 1e9 + 1 },
    { max: Number.POSITIVE_INFINITY },
  ]) {
    expect(() => interval(layer, options)).toThrow(expect.objectContaining({ code: 'OPTION' }));
  }
  layer.dispose();
});

describeEntryGolden(interval as Entry);
