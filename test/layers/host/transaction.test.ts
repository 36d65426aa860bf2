import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  applyRecipe,
  isParametrized,
  parametrizationsOn,
  type Recipe,
  removeParametrization,
  removeParametrizations,
  spectralNorm,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { transaction } from '../../../src/parametrize/transaction.ts';
import { shifted } from '../../model/faults/models.ts';

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

  it('lets a weight train again after a map that freezes its original is taken back', () => {
    const model = modelOf(dense());
    const [layer] = model.layers as [tf.layers.Layer];
    failing(() => shifted(layer));
    expect(layer.trainableWeights).toHaveLength(2);
    expect(layer.trainableWeights.every((weight) => weight.trainable)).toBe(true);
    model.dispose();
  });

  it('keeps the weights that a compiled model has collected, so that it trains on', async () => {
    const model = modelOf(dense(), tf.layers.dense({ units: 1 }));
    const [layer] = model.layers as [tf.layers.Layer];
    shifted(weightNorm(layer));
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    const [x, y] = [tf.ones([4, 3]), tf.ones([4, 1])];
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    failing(() => removeParametrization(layer, 'kernel', 'shifted'));
    failing(() => removeParametrizations(layer, 'kernel'));
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    model.optimizer.dispose();
    model.dispose();
    tf.dispose([x, y]);
  });

  it('gives the optimizer of a compiled model its state back', async () => {
    const model = modelOf(dense());
    const [layer] = model.layers as [tf.layers.Layer];
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    const [x, y] = [tf.ones([4, 3]), tf.ones([4, 2])];
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    const stateOf = async () => {
      const weights = await model.optimizer.getWeights();
      const state = weights.map(({ name, tensor }) => [name, [...tensor.dataSync()]]);
      // The count of steps is made for the call.
      weights[0]!.tensor.dispose();
      return state;
    };
    const before = await stateOf();
    // The second entry fails after the first is registered and the model is synced.
    const recipe: Recipe = {
      version: 1,
      parametrizations: [
        { path: layer.name, tensor: 'kernel', steps: [{ kind: 'weightNorm', options: { dim: 0 } }] },
        {
          path: `${layer.name}.parametrizations.kernel`,
          tensor: 'original1',
          steps: [{ kind: 'failing', options: {} }],
        },
      ],
    };
    const catalog = {
      weightNorm,
      failing: () => {
        throw new Error('later');
      },
    };
    expect(() => applyRecipe(model, recipe, { catalog })).toThrow('later');
    expect(await stateOf()).toEqual(before);
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    model.optimizer.dispose();
    model.dispose();
    tf.dispose([x, y]);
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
