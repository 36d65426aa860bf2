import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { calibrate, saveQuantized } from '../../../src/finetune/index.ts';
import {
  type FakeQuantize,
  fakeQuantize,
  nn,
  parametrizationsOn,
  removeParametrizations,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import golden from '../../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../../nn/golden.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { convNet, net, quantizeAll, stream } from './quantizedModels.ts';

const { percentile_linear: percentiles } = golden.quantize as unknown as {
  percentile_linear: {
    x: GoldenTensor;
    results: { percentile: number; low: number; high: number; abs: number }[];
  };
};

const mapOf = (layer: nn.Module, at = 0): FakeQuantize =>
  parametrizationsOn(layer, 'weight')[at] as FakeQuantize;

const linearOf = (values: GoldenTensor): nn.Linear => {
  const layer = new nn.Linear(values.shape[0]!, 1, { bias: false });
  inTidy(() => (layer.weight as tf.Variable).assign(tf.reshape(tensorOf(values), [1, -1])));
  return layer;
};

describe('calibrate', () => {
  it.each(percentiles.results.map((one) => [one.percentile, one] as const))(
    'makes the percentile %d the end of the range, by linear interpolation',
    async (percentile, { low, high, abs }) => {
      const symmetric = linearOf(percentiles.x);
      fakeQuantize(symmetric);
      await calibrate(symmetric, { percentile });
      expect(flatten(mapOf(symmetric).scale)[0]! * 127).toBeCloseTo(abs, 3);
      const affine = linearOf(percentiles.x);
      fakeQuantize(affine, { symmetric: false, observer: 'minMax' });
      await calibrate(affine, { percentile });
      const map = mapOf(affine);
      expect(flatten(map.min_val!)[0]).toBeCloseTo(low, 3);
      expect(flatten(map.max_val!)[0]).toBeCloseTo(high, 3);
      expect(flatten(map.scale)[0]! * 255).toBeCloseTo(high - low, 3);
      for (const layer of [symmetric, affine]) layer.dispose();
    },
  );

  it('follows weights that have moved, for each channel and group, and below other maps', async () => {
    nn.manualSeed(4);
    const layer = new nn.Linear(8, 3);
    weightNorm(layer);
    fakeQuantize(layer, { dim: 0, groupSize: 4 });
    const list = parametrizationsOn(layer, 'weight');
    inTidy(() => list.original0!.assign(tf.mul(list.original0!, 5)));
    await calibrate(layer);
    inTidy(() => {
      const [g, v] = [list.original0!, list.original1!];
      const W = tf.div(tf.mul(g, v), tf.norm(v, 2, 1, true));
      const wanted = tf.div(tf.max(tf.reshape(tf.abs(W), [3, 2, 4]), 2), 127);
      expect(mapOf(layer, 1).scale).toBeAllClose(wanted);
    });
    layer.dispose();
  });

  it('gives a learned scale a new start, and keeps its zero point', async () => {
    const layer = new nn.Linear(8, 3);
    fakeQuantize(layer, { learned: true, range: [0, 15], bits: 4 });
    await calibrate(layer);
    expect(mapOf(layer).scale.dtype).toBe('float32');
    expect(flatten(mapOf(layer).zero_point)).toEqual([0]);
    layer.dispose();
  });

  it('takes models of tf.layers and selectors', async () => {
    const model = quantizeAll(convNet(), { dim: -1 });
    inTidy(() => {
      for (const { trainableWeights } of model.layers) {
        for (const one of trainableWeights) (one.read() as tf.Variable).assign(tf.mul(one.read(), 3));
      }
    });
    const scales = (): number[][] =>
      ['conv', 'dense'].map((name) =>
        flatten((parametrizationsOn(model.getLayer(name), 'kernel')[0] as FakeQuantize).scale),
      );
    const [conv, dense] = scales();
    await calibrate(model, { type: 'Dense' });
    expect(scales()[0]).toEqual(conv);
    expect(scales()[1]).toBeAllClose(dense!.map((one) => 3 * one));
    model.dispose();
  });

  it('refuses, and changes nothing', async () => {
    const model = quantizeAll(net(), {});
    const linear = model[2] as nn.Linear;
    const before = flatten(mapOf(model[0] as nn.Conv2d).scale);
    for (const percentile of [50, 101, Number.NaN, '99' as never]) {
      await expect(calibrate(model, { percentile })).rejects.toThrow(
        expect.objectContaining({ code: 'OPTION' }),
      );
    }
    await expect(calibrate(model, { type: 'Conv1d' })).rejects.toThrow(
      expect.objectContaining({ code: 'UNMATCHED_RULE' }),
    );
    const plain = net();
    await expect(calibrate(plain)).rejects.toThrow(expect.objectContaining({ code: 'UNMATCHED_RULE' }));
    const stale = calibrate(model);
    removeParametrizations(linear, 'weight');
    await expect(stale).rejects.toThrow(expect.objectContaining({ code: 'STALE_PLAN' }));
    fakeQuantize(linear);
    inTidy(() => linear.parametrizations!.weight!.original!.assign(tf.fill([5, 24], Number.NaN)));
    await expect(calibrate(model)).rejects.toThrow(expect.objectContaining({ code: 'NOT_FINITE' }));
    await expect(saveQuantized(model, stream().target)).rejects.toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    );
    expect(flatten(mapOf(model[0] as nn.Conv2d).scale)).toEqual(before);
    for (const one of [model, plain]) one.dispose();
  });
});
