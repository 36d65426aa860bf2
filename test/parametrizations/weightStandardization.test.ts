import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { nn, parametrizationsOn, skew, weightStandardization } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden, disposeHost } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

interface Host {
  weight: tf.Tensor;
}

const hostOf = (make: () => tf.Tensor): Host => ({ weight: tf.tidy(() => tf.variable(make())) });

describeEntryLaws(weightStandardization as Entry, {
  cases: [
    { shape: [4, 6] },
    { shape: [4, 6], options: { dim: 1, fanIn: true } },
    { shape: [3, 2, 3], options: { dim: [0, 2] } },
    { shape: [3, 4], options: { gain: true } },
    { shape: [2, 3, 2], options: { gain: true, dim: null, fanIn: true, eps: 1e-4 } },
    { shape: [7], options: { dim: [] } },
  ],
});

it('weightStandardization keeps V where eps and rounding do no harm, and standardizes it at once elsewhere', () => {
  const numbers = tf.tidy(() => flatten(tf.randomNormal([1, 9], 0, 1, 'float32', 7)));
  const isKept = (factor: number, offset: number): boolean => {
    const values = numbers.map((number) => factor * number + offset);
    const host = hostOf(() => tf.tensor2d(values, [1, 9]));
    weightStandardization(host, 'weight');
    const V = tf.tidy(() => flatten(parametrizationsOn(host, 'weight').original!));
    const isSame = V.every((value, i) => value === Math.fround(values[i]!));
    const variance = tf.tidy(() => tf.moments(host.weight).variance.dataSync()[0]!);
    expect(variance).toBeCloseTo(1, 2);
    disposeHost(host);
    return isSame;
  };
  expect([0.02, 1, 1e3].map((factor) => isKept(factor, 0))).toEqual([true, true, true]);
  expect([1e-12, 1e-5, 1e12].map((factor) => isKept(factor, 0))).toEqual([false, false, false]);
  expect(isKept(1, 1e4)).toBe(false);
});

it('a standardized constant slice becomes random, and another one keeps its value', () => {
  const host = hostOf(() =>
    tf.tensor2d([
      [2, 2, 2, 2],
      [1, -1, 1, -1],
    ]),
  );
  nn.manualSeed(4);
  weightStandardization(host, 'weight');
  inTidy(() => {
    const [mean, std] = [tf.mean(host.weight, 1), tf.sqrt(tf.mean(tf.square(host.weight), 1))];
    expect(mean).toBeAllClose([0, 0], { relative: 0, absolute: 1e-6 });
    expect(std).toBeAllClose([1, 1], { relative: 1e-4 });
    expect(flatten(host.weight).slice(4)).toBeAllClose([1, -1, 1, -1]);
  });
  disposeHost(host);
});

it('weightStandardization with gain keeps a weight but for its mean, and gives its originals names', () => {
  const layer = new nn.Linear(4, 2, { bias: false });
  inTidy(() => {
    const wanted = tf.sub(layer.weight, tf.mean(layer.weight, 1, true));
    weightStandardization(layer, { gain: true, fanIn: true });
    expect(layer.weight).toBeAllClose(wanted);
    const { g, v, original0, original1 } = parametrizationsOn(layer, 'weight');
    expect([g, v]).toEqual([original0, original1]);
    expect(g!.shape).toEqual([2, 1]);
  });
  layer.dispose();
});

it('weightStandardization refuses slices of one element, an unknown axis and a second place in a chain with gain', () => {
  const layer = new nn.Linear(1, 3, { bias: false });
  expect(() => weightStandardization(layer)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  expect(() => weightStandardization(layer, { dim: 2 })).toThrow(expect.objectContaining({ code: 'OPTION' }));
  expect(Object.keys(layer.stateDict())).toEqual(['weight']);
  layer.dispose();
  const square = skew(new nn.Linear(3, 3, { bias: false }));
  const value = tf.tidy(() => flatten(square.weight));
  expect(() => weightStandardization(square, { gain: true })).toThrow(
    expect.objectContaining({ name: 'ParametrizeError' }),
  );
  expect(tf.tidy(() => flatten(square.weight))).toEqual(value);
  square.dispose();
});

describeEntryGolden(weightStandardization as Entry);
