import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { equalizedLearningRate, nn, parametrizationsOn } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(equalizedLearningRate as Entry, {
  cases: [
    { shape: [4, 6] },
    { shape: [4, 6], options: { dim: 1, gain: Math.SQRT2 } },
    { shape: [3, 2, 3], options: { dim: [0, 2], multiplier: 0.01 } },
    { shape: [7], options: { dim: null } },
    { shape: [1, 1] },
  ],
});

it('a step of an optimizer moves the weight in proportion to the constant', () => {
  const layer = new nn.Linear(4, 2, { bias: false });
  equalizedLearningRate(layer, { gain: 3, multiplier: 0.5 });
  const factor = (3 * 0.5) / Math.sqrt(4);
  inTidy(() => {
    const before = tf.clone(layer.weight);
    const optimizer = tf.train.adam(0.1);
    optimizer.minimize(() => tf.sum(layer.weight), false, parametrizationsOn(layer, 'weight').ownVariables());
    expect(tf.sub(before, layer.weight)).toBeAllClose(tf.fill([2, 4], 0.1 * factor), { relative: 1e-4 });
    optimizer.dispose();
  });
  layer.dispose();
});

describeEntryGolden(equalizedLearningRate as Entry);
