import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  checked,
  nn,
  type Parametrization,
  parametrizationsOn,
  parametrize,
  positive,
  spectralNorm,
} from '../../src/index.ts';
import '../../src/layers/index.ts';
import { inTidy } from './fixtures.ts';

const layerOf = (values: number[]): nn.Linear => {
  const layer = new nn.Linear(2, 1, { bias: false });
  tf.tidy(() => (layer.weight as tf.Variable).assign(tf.tensor2d(values, [1, 2])));
  return layer;
};

describe('checked', () => {
  it('registers a map that keeps the value', async () => {
    const layer = layerOf([0.5, 2]);
    expect(await checked(layer, 'weight', positive, { map: 'exp' })).toBe(layer);
    expect(String(parametrizationsOn(layer, 'weight')[0])).toBe('Positive(map=exp)');
    inTidy(() => expect(layer.weight).toBeAllClose([0.5, 2]));
    layer.dispose();
  });

  it('refuses a value outside of the set, and changes nothing', async () => {
    const layer = layerOf([0.5, -2]);
    const { weight } = layer;
    await expect(checked(layer, undefined, positive)).rejects.toMatchObject({
      code: 'NOT_IN_SET',
      message:
        'checked: Linear.weight of shape [1, 2] does not belong to the set of positive. Assign a value of the set first, for example positive.sample(shape), or call positive without checked, which moves the value into the set.',
    });
    expect(layer.weight).toBe(weight);
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  });

  it('uses the options for the set, and refuses wrong ones', async () => {
    const layer = layerOf([0.5, 2]);
    await expect(checked(layer, 'weight', positive, { min: 1 })).rejects.toMatchObject({
      code: 'NOT_IN_SET',
    });
    await expect(checked(layer, 'weight', positive, { min: Number.NaN })).rejects.toMatchObject({
      code: 'OPTION',
    });
    await expect(checked(layer, 'weigth' as 'weight', positive)).rejects.toMatchObject({
      code: 'UNKNOWN_TENSOR',
    });
    await checked(layer, 'weight', positive, { min: 0.25 });
    layer.dispose();
  });

  it('reads a value again that changes while it is read', async () => {
    const layer = layerOf([0.5, 2]);
    const registration = checked(layer, 'weight', positive);
    tf.tidy(() => (layer.weight as tf.Variable).assign(tf.tensor2d([[-1, 2]])));
    await expect(registration).rejects.toMatchObject({ code: 'NOT_IN_SET' });
    expect(layer.parametrizations).toBeUndefined();
    layer.dispose();
  });

  it('refuses a map without a set, and a layer without weights', async () => {
    const layer = layerOf([1, 1]);
    await expect(checked(layer, 'weight', spectralNorm as never)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await expect(checked(tf.layers.dense({ units: 2 }), undefined, positive)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('Build the layer first'),
    });
    const map = parametrizationsOn(spectralNorm(layer), 'weight')[0] as Parametrization;
    const value = tf.ones([1, 2]);
    await expect(map.contains(value)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    value.dispose();
    layer.dispose();
  });
});

describe('the report of parametrize', () => {
  it.runIf(['cpu', 'wasm'].includes(process.env['TFJS_BACKEND']!))('lists the values that were moved', () => {
    const model = new nn.Sequential(layerOf([0.5, 2]), layerOf([-3, 4]));
    const report = parametrize(model, [{ match: '*.weight', apply: positive }]);
    expect(report.moved).toEqual([
      expect.objectContaining({
        path: '1',
        tensor: 'weight',
        kind: 'positive',
        distance: expect.closeTo(3.0035 / 5, 5),
      }),
    ]);
    expect(String(report)).toContain('Positive(map=softplus), value moved by 60 %');
    model.dispose();
  });
});
