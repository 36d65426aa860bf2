import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { centeredWeightNorm, nn, parametrizationsOn } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(centeredWeightNorm as Entry, {
  cases: [
    { shape: [4, 6] },
    { shape: [4, 6], options: { dim: 1 } },
    { shape: [3, 2, 3], options: { dim: [0, 2] } },
    { shape: [7], options: { dim: null } },
  ],
});

it('a weight loses its mean and moves to the nearest weight; a constant slice becomes zero with the gradient zero', () => {
  const layer = new nn.Linear(3, 2, { bias: false });
  inTidy(() => {
    (layer.weight as tf.Variable).assign(
      tf.tensor2d([
        [2, 3, 7],
        [5, 5, 5],
      ]),
    );
    centeredWeightNorm(layer);
    expect(layer.weight).toBeAllClose(
      [
        [-2, -1, 3],
        [0, 0, 0],
      ].flat(),
    );
    const { g, v } = parametrizationsOn(layer, 'weight');
    expect(g!).toBeAllClose([Math.sqrt(14), 0]);
    g!.assign(tf.ones([2, 1]));
    const { grads } = tf.variableGrads(() => tf.sum(tf.square(layer.weight)), [g!, v!]);
    expect(tf.slice(grads[v!.name]!, [1, 0], [1, 3])).toBeAllClose([0, 0, 0]);
  });
  layer.dispose();
});

it('centeredWeightNorm refuses slices of one element, and changes nothing', () => {
  const layer = new nn.Linear(1, 3, { bias: false });
  expect(() => centeredWeightNorm(layer)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  expect(Object.keys(layer.stateDict())).toEqual(['weight']);
  layer.dispose();
});

describeEntryGolden(centeredWeightNorm as Entry);
