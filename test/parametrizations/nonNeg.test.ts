import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nn, nonNeg } from '../../src/index.ts';
import { flatten } from '../toBeAllClose.ts';

const weights = fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: 6, maxLength: 6 });

function layerWith(values: number[]): nn.Linear {
  const layer = new nn.Linear(3, 2, { bias: false });
  tf.tidy(() => {
    (layer.weight as tf.Variable).assign(tf.tensor2d(values, [2, 3]));
  });
  return layer;
}

describe('nonNeg', () => {
  it('begins with the value of tf.constraints.nonNeg, and is never negative whatever is trained', () => {
    fc.assert(
      fc.property(weights, weights, (before, after) => {
        const layer = layerWith(before);
        nonNeg(layer, 'weight');
        expect(layer.weight).toBeAllClose(before.map((value) => Math.max(value, 0)));
        tf.tidy(() => {
          layer.parametrizations!.weight!.original!.assign(tf.tensor2d(after, [2, 3]));
        });
        expect(Math.min(...flatten(layer.weight))).toBeGreaterThanOrEqual(0);
        layer.dispose();
      }),
    );
  });

  it('lets elements that were negative train', () => {
    const layer = layerWith([-1, -2, -3, -1, -2, -3]);
    nonNeg(layer, 'weight');
    const wanted = tf.tensor2d([1, 0.5, 0.25, 0, 2, 1], [2, 3]);
    const sgd = tf.train.sgd(0.1);
    for (let step = 0; step < 200; step++) {
      sgd.minimize(() => tf.sum(tf.square(tf.sub(layer.weight, wanted))), false, layer.parameters());
    }
    expect(layer.weight).toBeAllClose(wanted, { absolute: 1e-3 });
    sgd.dispose();
    wanted.dispose();
    layer.dispose();
  });

  it('has the sign of its original as gradient', () => {
    const layer = layerWith([1, 2, 3, 1, 2, 3]);
    nonNeg(layer, 'weight');
    const original = layer.parametrizations!.weight!.original!;
    tf.tidy(() => {
      original.assign(tf.tensor2d([1, -2, 3, -1, 2, -3], [2, 3]));
      const { grads } = tf.variableGrads(
        () =>
          tf.sum(
            tf.mul(layer.weight, [
              [1, 2, 3],
              [4, 5, 6],
            ]),
          ),
        [original],
      );
      expect(grads[original.name]).toBeAllClose([1, -2, 3, -4, 5, -6]);
    });
    layer.dispose();
  });
});
