import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  applyRecipe,
  cached,
  clone,
  type DropConnect,
  dropConnect,
  fold,
  nn,
  parametrizationsOn,
  parametrize,
  prune,
  recipeOf,
  valueOf,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { optimizers } from '../parametrize/laws/specimens.ts';
import { flatten } from '../toBeAllClose.ts';

interface Host {
  weight: tf.Tensor;
}

const valueIn = (host: Host): number[] => inTidy(() => flatten(host.weight));

const layerOf = (p: number, n = 50): nn.Linear => {
  const layer = new nn.Linear(n, n, { bias: false });
  nn.init.constant(layer.weight, 3);
  return dropConnect(layer, { p });
};

describe('dropConnect', () => {
  it.each([0.1, 0.5, 0.9])('zeroes elements with probability %f in training, and keeps the mean', (p) => {
    nn.manualSeed(11);
    const layer = layerOf(p, 100);
    const value = valueIn(layer);
    const zeros = value.filter((x) => x === 0).length;
    // Four standard deviations of a binomial distribution.
    expect(Math.abs(zeros - 1e4 * p)).toBeLessThan(4 * Math.sqrt(1e4 * p * (1 - p)));
    expect(value.filter((x) => x !== 0)).toBeAllClose(Array(1e4 - zeros).fill(3 / (1 - p)));
    layer.eval();
    expect(valueIn(layer)).toEqual(Array(1e4).fill(3));
    layer.dispose();
  });

  it('draws at every read in training, by the seed, and not in evaluation, nor for p = 0', () => {
    const layer = layerOf(0.5);
    const list = layer.parametrizations!.weight!;
    const drawn = [1, 1].map((seed) => {
      nn.manualSeed(seed);
      return [valueIn(layer), valueIn(layer)];
    });
    expect(drawn[1]).toEqual(drawn[0]);
    expect(drawn[0]![0]).not.toEqual(drawn[0]![1]);
    const map = list[0] as DropConnect;
    expect(map.isPure()).toBe(false);
    map.p = 0;
    expect(map.isPure()).toBe(true);
    expect(valueIn(layer)).toEqual(Array(2500).fill(3));
    map.p = 1;
    expect(valueIn(layer).map(Math.abs)).toEqual(Array(2500).fill(0));
    map.p = 0.5;
    layer.eval();
    expect(map.isPure()).toBe(true);
    expect(() => {
      map.p = 2;
    }).toThrow('p is 2, it must be a number from 0 to 1');
    layer.dispose();
  });

  it('is one draw for one entry: all reads in cached, and the pass of a recurrent layer', () => {
    nn.manualSeed(5);
    const layer = layerOf(0.5);
    const [first, second] = cached(() => [valueIn(layer), valueIn(layer)]);
    expect(second).toEqual(first);
    const lstm = new nn.LSTM(2, 3);
    dropConnect(lstm, 'weight_hh_l0', { p: 0.5 });
    const list = lstm.parametrizations!['weight_hh_l0']!;
    const x = tf.ones([7, 1, 2]);
    const before = list.evaluations;
    tf.tidy(() => void lstm.call(x));
    expect(list.evaluations).toBe(before + 1);
    x.dispose();
    for (const one of [layer, lstm]) one.dispose();
  });

  it('has the gradient of its draw, of the mean of the loss too', () => {
    nn.manualSeed(6);
    const layer = layerOf(0.25, 4);
    const original = layer.parametrizations!.weight!.original!;
    inTidy(() => {
      let value: number[] = [];
      const { grads } = tf.variableGrads(() => {
        const { weight } = layer;
        value = flatten(weight);
        return tf.sum(weight);
      }, [original]);
      expect(flatten(grads[original.name]!)).toBeAllClose(value.map((x) => x / 3));
    });
    layer.dispose();
  });

  it('is assigned, copied, made by a recipe, folded and removed as its value in evaluation', () => {
    const model = new nn.Sequential(layerOf(0.5, 3));
    const layer = model[0] as nn.Linear;
    inTidy(() => {
      layer.weight = tf.fill([3, 3], 5);
    });
    const other = new nn.Sequential(new nn.Linear(3, 3, { bias: false }));
    applyRecipe(other, JSON.stringify(recipeOf(model)), { catalog: { dropConnect } });
    expect(recipeOf(other)).toEqual(recipeOf(model));
    expect(Object.keys(model.stateDict())).toEqual(['0.parametrizations.weight.original']);
    const copy = clone(model);
    expect(String(copy)).toContain('DropConnect(p=0.5)');
    fold(copy);
    expect(valueIn(copy[0] as nn.Linear)).toEqual(Array(9).fill(5));
    for (const one of [model, other, copy]) one.dispose();
  });

  it('drops twice if it is called twice, and a rule that is applied twice registers once', () => {
    nn.manualSeed(5);
    const layer = new nn.Linear(64, 64, { bias: false });
    dropConnect(layer, { p: 0.5 });
    dropConnect(layer, { p: 0.5 });
    expect(parametrizationsOn(layer, 'weight')).toHaveLength(2);
    const share = inTidy(() => flatten(layer.weight).filter((x) => x === 0).length) / 64 ** 2;
    expect(share).toBeGreaterThan(0.7);
    expect(share).toBeLessThan(0.8);
    const other = new nn.Linear(4, 4);
    const rule = [{ type: nn.Linear, apply: dropConnect, options: { p: 0.5 } }];
    parametrize(other, rule);
    expect(parametrize(other, rule).unchanged).toHaveLength(1);
    for (const one of [layer, other]) one.dispose();
  });

  it('comes after a mask, whose zeros stay', () => {
    nn.manualSeed(8);
    const layer = new nn.Linear(10, 10, { bias: false });
    prune(layer, { fraction: 0.5 });
    dropConnect(layer, { p: 0.5 });
    const mask = inTidy(() =>
      flatten((parametrizationsOn(layer, 'weight')[0] as unknown as { mask: tf.Tensor }).mask),
    );
    const value = valueIn(layer);
    expect(value.every((x, i) => x === 0 || mask[i] === 1)).toBe(true);
    // A second call of prune finds its mask below the noise, and scores the value without noise.
    prune(layer, { fraction: 0.5 });
    layer.eval();
    expect(valueIn(layer).filter((x) => x === 0)).toHaveLength(75);
    layer.dispose();
  });

  it('trains layers of tf.layers, is one draw for a pass, and predicts with the whole weight', async () => {
    nn.manualSeed(9);
    const model = tf.sequential({
      layers: [tf.layers.simpleRNN({ units: 4, inputShape: [5, 2] }), tf.layers.dense({ units: 1 })],
    });
    const [rnn, dense] = model.layers as [tf.layers.Layer, tf.layers.Layer];
    dropConnect(rnn, 'cell.recurrentKernel', { p: 0.5 });
    dropConnect(dense);
    model.compile({ optimizer: optimizers['adam']!(), loss: 'meanSquaredError' });
    const [x, y] = [tf.randomNormal([4, 5, 2], 0, 1, 'float32', 1), tf.ones([4, 1])];
    const list = parametrizationsOn(rnn, 'cell.recurrentKernel');
    const evaluations = list.evaluations;
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    expect(list.evaluations).toBe(evaluations + 2);
    const [first, second] = [0, 1].map(() => inTidy(() => flatten(model.predict(x) as tf.Tensor)));
    expect(second).toEqual(first);
    expect(inTidy(() => flatten(valueOf(dense, 'kernel')))).toEqual(
      flatten(parametrizationsOn(dense, 'kernel').original!),
    );
    model.optimizer.dispose();
    tf.dispose([x, y]);
    model.dispose();
  });

  it.each([{ p: -0.1 }, { p: 1.1 }, { p: '0.5' as never }, { rate: 0.5 } as never])(
    'refuses %j',
    (options) => {
      const layer = new nn.Linear(2, 2);
      expect(() => dropConnect(layer, options)).toThrow(expect.objectContaining({ code: 'OPTION' }));
      layer.dispose();
    },
  );
});
