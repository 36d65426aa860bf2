import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  isParametrized,
  parametrizationsOn,
  removeParametrizations,
  spectralNorm,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { transaction } from '../../../src/parametrize/transaction.ts';

const modelOf = (...layers: tf.layers.Layer[]): tf.Sequential => tf.sequential({ layers });
const dense = (): tf.layers.Layer => tf.layers.dense({ units: 2, inputShape: [3] });
const failing = (work: () => unknown): void => {
  expect(() =>
    transaction(() => {
      work();
      throw new Error('later');
    }),
  ).toThrow('later');
};

describe('a transaction on layers', () => {
  it('takes registrations back', () => {
    const model = modelOf(dense());
    const [layer] = model.layers as [tf.layers.Layer];
    const weights = [...layer.weights];
    const { numTensors } = tf.memory();
    failing(() => spectralNorm(weightNorm(layer)));
    expect([isParametrized(layer), tf.memory().numTensors, Object.hasOwn(layer, 'call')]).toEqual([
      false,
      numTensors,
      false,
    ]);
    expect(layer.weights).toEqual(weights);
    model.dispose();
  });

  it('takes removals back, with the variables that a compiled model has noted', () => {
    const model = modelOf(dense());
    const [layer] = model.layers as [tf.layers.Layer];
    spectralNorm(layer);
    const list = parametrizationsOn(layer, 'kernel');
    const weights = [...layer.weights];
    const value = list.inspect();
    failing(() => removeParametrizations(layer, 'kernel'));
    expect(parametrizationsOn(layer, 'kernel')).toBe(list);
    expect(layer.weights.every((weight, i) => weight === weights[i])).toBe(true);
    const after = list.inspect();
    expect(after).toBeAllClose(value);
    tf.dispose([value, after]);
    model.dispose();
  });

  it('forgets a registration that waits for the layer to be built', () => {
    const layer = tf.layers.dense({ units: 2 });
    failing(() => weightNorm(layer));
    expect(Object.hasOwn(layer, 'build')).toBe(false);
    const model = modelOf(tf.layers.inputLayer({ inputShape: [3] }), layer);
    expect(isParametrized(layer)).toBe(false);
    model.dispose();
  });
});
