import * as tf from '@tensorflow/tfjs';
import {
  evaluate,
  fold,
  parametrizationsOn,
  removeParametrizations,
  tie,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import { folded, syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { disposeModel } from './layerCases.ts';

/** An autoencoder whose second kernel is the transpose of the first. */
function autoencoder(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 2, inputShape: [3], name: 'encoder' }),
      tf.layers.dense({ units: 3, name: 'decoder' }),
    ],
  });
  tie(model.getLayer('decoder'), 'kernel', model.getLayer('encoder'), 'kernel', { transpose: true });
  return model;
}

const namesOf = (model: tf.LayersModel): string[] =>
  model.weights.map((weight) => (weight as unknown as { originalName: string }).originalName);

describe('a tied weight of a layer', () => {
  it('is the transpose of its source, and is in no list of weights', () => {
    const model = autoencoder();
    expect(namesOf(model)).toEqual(['encoder/kernel', 'encoder/bias', 'decoder/bias']);
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2, 3]]);
      const w = valueOf(model.getLayer('encoder'), 'kernel');
      expect(model.predict(x) as tf.Tensor).toBeAllClose(tf.matMul(tf.matMul(x, w), w, false, true));
      const zeros = tf.zeros([3, 2]);
      evaluate(model, { 'encoder.kernel': zeros }, () => {
        expect(model.predict(x) as tf.Tensor).toBeAllClose([[0, 0, 0]]);
      });
    });
    disposeModel(model);
  });

  it('trains its source in fit, parametrized or not', async () => {
    const model = autoencoder();
    const encoder = model.getLayer('encoder');
    weightNorm(encoder as never, 'kernel');
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    const { v } = parametrizationsOn(encoder, 'kernel') as unknown as { v: tf.Variable };
    const before = v.arraySync();
    const x = tf.randomNormal([8, 3], 0, 1, 'float32', 1);
    await model.fit(x, x, { epochs: 2, verbose: 0 });
    expect(v.arraySync()).not.toEqual(before);
    tf.tidy(() => {
      expect(valueOf(model.getLayer('decoder'), 'kernel')).toBeAllClose(
        tf.transpose(valueOf(encoder, 'kernel')),
      );
    });
    x.dispose();
    disposeModel(model);
  });

  it('is left out by a compiled model that is synced', async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 3, inputShape: [3], name: 'a' }),
        tf.layers.dense({ units: 3, name: 'b' }),
      ],
    });
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    const x = tf.randomNormal([8, 3], 0, 1, 'float32', 1);
    await model.fit(x, x, { verbose: 0 });
    tie(model.getLayer('b'), 'kernel', model.getLayer('a'));
    await expect(model.fit(x, x, { verbose: 0 })).rejects.toThrow('syncModel');
    syncModel(model);
    await model.fit(x, x, { verbose: 0 });
    expect(valueOf(model.getLayer('b'), 'kernel')).toBe(valueOf(model.getLayer('a'), 'kernel'));
    x.dispose();
    disposeModel(model);
  });

  it.each<['compiled' | 'synced']>([['compiled'], ['synced']])(
    'is trained again after its removal, which a %s model does not forget',
    async (way) => {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({ units: 3, inputShape: [3], name: 'a' }),
          tf.layers.dense({ units: 3, name: 'b' }),
        ],
      });
      const [a, b] = [model.getLayer('a'), model.getLayer('b')];
      const compile = (): void => model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
      if (way === 'synced') compile();
      tie(b, 'kernel', a);
      if (way === 'synced') syncModel(model);
      else compile();
      const x = tf.randomNormal([8, 3], 0, 1, 'float32', 1);
      await model.fit(x, x, { verbose: 0 });
      removeParametrizations(b, 'kernel');
      weightNorm(b as never, 'kernel');
      await expect(model.fit(x, x, { verbose: 0 })).rejects.toThrow('syncModel');
      removeParametrizations(b, 'kernel');
      await expect(model.fit(x, x, { verbose: 0 })).rejects.toThrow('syncModel');
      syncModel(model);
      const before = await valueOf(b, 'kernel').array();
      await model.fit(x, x, { verbose: 0 });
      expect(await valueOf(b, 'kernel').array()).not.toEqual(before);
      model.optimizer.dispose();
      (b as unknown as { trainable: boolean }).trainable = false;
      compile();
      const frozen = await valueOf(b, 'kernel').array();
      await model.fit(x, x, { verbose: 0 });
      expect(await valueOf(b, 'kernel').array()).toEqual(frozen);
      x.dispose();
      disposeModel(model);
    },
  );

  it('comes back to its place by removal and by fold, and is shown in folded', () => {
    const all = ['encoder/kernel', 'encoder/bias', 'decoder/kernel', 'decoder/bias'];
    const model = autoencoder();
    folded(model, () => {
      expect(namesOf(model)).toEqual(all);
    });
    expect(namesOf(model)).toHaveLength(3);
    removeParametrizations(model.getLayer('decoder'), 'kernel');
    expect(namesOf(model)).toEqual(all);
    tf.tidy(() => {
      const w = valueOf(model.getLayer('encoder'), 'kernel');
      expect(valueOf(model.getLayer('decoder'), 'kernel')).toBeAllClose(tf.transpose(w));
    });
    tie(model.getLayer('decoder'), 'kernel', model.getLayer('encoder'), 'kernel', { transpose: true });
    weightNorm(model.getLayer('encoder') as never, 'kernel');
    expect(fold(model)).toEqual(['encoder.kernel', 'decoder.kernel']);
    expect(namesOf(model)).toEqual(all);
    disposeModel(model);
  });
});
