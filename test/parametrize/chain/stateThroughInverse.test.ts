import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  nn,
  parametrizationsOn,
  pure,
  registerParametrization,
  transferParametrizationsAndParams,
} from '../../../src/index.ts';
import { failure } from '../unchanged.ts';

describe('a state dict that is loaded through a right inverse', () => {
  it('is refused if that writes a dependency which is no part of the state', () => {
    const gain = nn.parameter(() => tf.scalar(2));
    const layer = new nn.Linear(2, 2, { bias: false });
    registerParametrization(layer, 'weight', {
      dependencies: [gain],
      forward: (x) => tf.mul(x, gain),
      rightInverse: (W) => {
        gain.assign(tf.scalar(4));
        return tf.div(W, gain);
      },
    });
    const weight = tf.ones([2, 2]);
    expect(failure(() => layer.loadStateDict({ weight }), layer, { gain })).toMatch(
      /^STATE_DICT: .*writes its dependency/,
    );
    layer.weight = weight;
    tf.tidy(() => {
      expect(layer.weight).toBeAllClose(weight);
    });
    layer.dispose();
    tf.dispose([weight, gain]);
  });
});

describe('a transferred list', () => {
  it('has the mode of its host, and leaves the source in its own', () => {
    const [from, to] = [new nn.Linear(2, 2), new nn.Linear(2, 2).eval()];
    registerParametrization(
      from,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    transferParametrizationsAndParams(from, to, 'weight');
    expect(to.modules().map(({ training }) => training)).toEqual([false, false, false]);
    expect(parametrizationsOn(from, 'weight').training).toBe(true);
    to.dispose();
    from.dispose();
  });
});
