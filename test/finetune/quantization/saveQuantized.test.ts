import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../src/checkpoint/index.ts';
import { loadQuantized, saveQuantized } from '../../../src/finetune/index.ts';
import {
  dropConnect,
  type FakeQuantize,
  type FakeQuantizeOptions,
  fakeQuantize,
  isParametrized,
  lora,
  nn,
  parametrizationsOn,
  prune,
  tie,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import golden from '../../golden/finetune.json' with { type: 'json' };
import { type GoldenTensor, tensorOf } from '../../nn/golden.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';
import { bitsOf, convNet, memory, net, predictionOf, quantizeAll, stream } from './quantizedModels.ts';

const { quantize } = golden as unknown as {
  quantize: {
    tfjs: {
      case: string;
      weight: GoldenTensor;
      fake_quantized: GoldenTensor;
      spec: tf.io.WeightsManifestEntry;
      bytes_base64: string;
    }[];
    int4_groups: {
      weight: GoldenTensor;
      group_size: number;
      q: GoldenTensor;
      scale: GoldenTensor;
      value: GoldenTensor;
      packed: GoldenTensor;
    }[];
  };
};

const folder = mkdtempSync(join(tmpdir(), 'quantized-'));
afterAll(() => rmSync(folder, { recursive: true }));

const kernel = (model: tf.LayersModel, name: string): number[] =>
  inTidy(() => bitsOf((model.getLayer(name) as unknown as { kernel: { read(): tf.Tensor } }).kernel.read()));

const optionsOf = (text: string): FakeQuantizeOptions => ({
  bits: text.includes('32767') ? 16 : text.startsWith('int4') ? 4 : 8,
  symmetric: !text.startsWith('affine'),
  range: text.match(/-?\d+(?=[,\]])/g)!.map(Number) as [number, number],
});

describe('saveQuantized, models of tf.layers', () => {
  it.each(quantize.tfjs.filter((one) => one.case !== 'float16').map((one) => [one.case, one] as const))(
    'writes the spec and the bytes that tfjs reads: %s',
    async (_, one) => {
      const [inputs, units] = one.weight.shape as [number, number];
      const model = tf.sequential({
        layers: [tf.layers.dense({ units, inputShape: [inputs], useBias: false, name: 'dense' })],
      });
      const weight = tensorOf(one.weight);
      model.setWeights([weight]);
      const [dense] = model.layers as [tf.layers.Layer];
      fakeQuantize(dense, optionsOf(one.case));
      inTidy(() => {
        const map = parametrizationsOn(dense, 'kernel')[0] as FakeQuantize;
        // torchao divides by 7 for integers from −8 to 7, and observers of torch by 7.5.
        (map.scale as tf.Variable).assign(tf.tensor1d([one.spec.quantization!.scale!]));
      });
      const handler = memory();
      const report = await saveQuantized(model, handler);
      const { weightSpecs, weightData } = handler.saved!;
      expect(weightSpecs).toEqual([{ ...one.spec, name: 'dense/kernel' }]);
      expect(Buffer.from(weightData as ArrayBuffer).toString('base64')).toBe(one.bytes_base64);
      expect(report.tensors[0]).toMatchObject({
        dtype: one.spec.quantization!.dtype,
        scheme: 'perTensor',
        isExact: true,
        reason: null,
      });
      const again = await tf.loadLayersModel(handler);
      const wanted = tensorOf(one.fake_quantized);
      expect(kernel(again, 'dense')).toEqual(bitsOf(wanted));
      tf.dispose([weight, wanted]);
      model.dispose();
      again.dispose();
    },
  );

  it.each([
    { bits: 8 },
    { bits: 8, symmetric: false },
    { bits: 4 },
    { bits: 2, symmetric: false },
    { bits: 12 },
    { bits: 16, symmetric: false },
    { bits: 8, learned: true },
    { bits: 8, range: [-128, 127] },
    { bits: 9, range: [-256, 255] },
  ] as FakeQuantizeOptions[])(
    'gives a plain model equal kernels and equal predictions, bit for bit, and keeps the saved model: %j',
    async (options) => {
      const model = quantizeAll(convNet(), options);
      const before = [kernel(model, 'conv'), kernel(model, 'dense'), predictionOf(model)];
      const names = model.weights.map(({ name }) => name);
      const handler = memory();
      const report = await saveQuantized(model, handler);
      const again = await tf.loadLayersModel(handler);
      expect(isParametrized(again.getLayer('dense'))).toBe(false);
      const after = [kernel(again, 'conv'), kernel(again, 'dense'), predictionOf(again)];
      expect(after).toEqual(before);
      expect([kernel(model, 'conv'), kernel(model, 'dense'), predictionOf(model)]).toEqual(before);
      expect(model.weights.map(({ name }) => name)).toEqual(names);
      const each = options.bits! > 8 ? 2 : 1;
      const size = report.tensors.find(({ name }) => name === 'dense/kernel')!;
      expect([size.bytesBefore, size.bytes]).toEqual([64 * 3 * 4, 64 * 3 * each]);
      expect(report.bytes).toBe((handler.saved!.weightData as ArrayBuffer).byteLength);
      expect(report.tensors.filter(({ scheme }) => scheme === null).every(({ isExact }) => isExact)).toBe(
        true,
      );
      model.dispose();
      again.dispose();
    },
  );

  it('writes channels and groups as float16, or as float32 without a rounding', async () => {
    const model = quantizeAll(convNet(), { dim: -1 });
    const half = memory();
    const report = await saveQuantized(model, half);
    expect(report.tensors.find(({ name }) => name === 'conv/kernel')).toMatchObject({
      dtype: 'float16',
      scheme: 'perChannel',
      isExact: false,
      reason: 'tfjs has one scale for a tensor',
      bytesBefore: 288,
      bytes: 144,
    });
    const rounded = await tf.loadLayersModel(half);
    const wanted = inTidy(() => flatten(model.predict(tf.ones([1, 6, 6, 2])) as tf.Tensor));
    const got = inTidy(() => flatten(rounded.predict(tf.ones([1, 6, 6, 2])) as tf.Tensor));
    expect(got).toBeAllClose(wanted, { absolute: 1e-2 });
    const whole = memory();
    const exact = await saveQuantized(model, whole, { float16: 'none' });
    expect(exact.tensors.every(({ isExact }) => isExact)).toBe(true);
    const again = await tf.loadLayersModel(whole);
    expect(predictionOf(again)).toEqual(predictionOf(model));
    const all = await saveQuantized(model, memory(), { float16: 'all' });
    expect(new Set(all.tensors.map(({ dtype }) => dtype))).toEqual(new Set(['float16']));
    for (const one of [model, rounded, again]) one.dispose();
  });

  it('keeps float32 where float16 is too small, with the reason', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [1], name: 'dense' })] });
    inTidy(() => model.setWeights([tf.tensor2d([[1e6, 1]]), tf.tensor1d([1, 2])]));
    fakeQuantize(model.layers[0]!, { dim: 1 });
    const { tensors } = await saveQuantized(model, memory());
    expect(tensors[0]).toMatchObject({
      dtype: 'float32',
      isExact: true,
      reason: 'tfjs has one scale for a tensor, and float16 is too small',
    });
    model.dispose();
  });

  it('writes model.json and its weights, which load without this package', async () => {
    const model = quantizeAll(convNet(), { symmetric: false });
    model.setUserDefinedMetadata({ author: 'somebody' });
    await saveQuantized(model, join(folder, 'new', 'model.json'));
    expect(readdirSync(join(folder, 'new')).sort()).toEqual(['model.json', 'model.weights.bin']);
    const json = JSON.parse(readFileSync(join(folder, 'new', 'model.json'), 'utf8')) as tf.io.ModelJSON;
    const weights = readFileSync(join(folder, 'new', json.weightsManifest[0]!.paths[0]!));
    const again = await tf.loadLayersModel({
      load: async () => ({
        ...json,
        weightSpecs: json.weightsManifest[0]!.weights,
        weightData: new Uint8Array(weights).buffer,
      }),
    } as tf.io.IOHandler);
    expect(predictionOf(again)).toEqual(predictionOf(model));
    expect(json.userDefinedMetadata).toEqual({ author: 'somebody' });
    model.dispose();
    again.dispose();
  });

  it('prints a table', async () => {
    const model = quantizeAll(convNet(), {});
    expect(String(await saveQuantized(model, memory()))).toBe(
      [
        'tensor                shape         in the file  exact  bytes before  bytes',
        'conv/kernel           [3, 3, 2, 4]  uint8        yes             288     72',
        'conv/bias             [4]           float32      yes              16     16',
        'norm/gamma            [4]           float32      yes              16     16',
        'norm/beta             [4]           float32      yes              16     16',
        'dense/kernel          [64, 3]       uint8        yes             768    192',
        'dense/bias            [3]           float32      yes              12     12',
        'norm/moving_mean      [4]           float32      yes              16     16',
        'norm/moving_variance  [4]           float32      yes              16     16',
        'all                                                             1148    356',
      ].join('\n'),
    );
    model.dispose();
  });
});

describe('saveQuantized, safetensors', () => {
  it.each(quantize.int4_groups.map((one) => [one.group_size, one] as const))(
    'packs int4 in groups of %i two to a byte',
    async (size, one) => {
      const [outputs, inputs] = one.weight.shape as [number, number];
      const layer = new nn.Linear(inputs, outputs, { bias: false });
      inTidy(() => (layer.weight as tf.Variable).assign(tensorOf(one.weight)));
      fakeQuantize(layer, { bits: 4, groupSize: size });
      const out = stream();
      const report = await saveQuantized(layer, out.target);
      const { tensors } = readSafetensors(out.bytes());
      expect(Object.keys(tensors).sort()).toEqual(['weight_packed', 'weight_scale']);
      inTidy(() => {
        expect(flatten(tensors['weight_packed']!)).toEqual(flatten(tensorOf(one.packed)));
        expect(flatten(tensors['weight_scale']!)).toEqual(flatten(tensorOf(one.scale)));
      });
      expect(tensors['weight_packed']!.shape).toEqual(one.packed.shape);
      expect(tensors['weight_scale']!.shape).toEqual(one.scale.shape);
      expect(report.tensors).toEqual([
        {
          name: 'weight',
          shape: one.weight.shape,
          dtype: 'int4',
          scheme: 'perGroup',
          isExact: true,
          bytesBefore: outputs * inputs * 4,
          bytes: (outputs * inputs) / 2 + 4 * one.scale.data.length,
          reason: null,
        },
      ]);
      tf.dispose(tensors);
      layer.dispose();
    },
  );

  const cases: FakeQuantizeOptions[] = [
    {},
    { symmetric: false },
    { dim: 0 },
    { dim: 0, symmetric: false, bits: 4 },
    { dim: [0, 1] },
    { bits: 4, groupSize: 2 },
    { bits: 3, groupSize: 4, symmetric: false },
    { bits: 16, dim: 0 },
    { bits: 16, symmetric: false },
    { learned: true, symmetric: false, dim: 0 },
    { observer: 'minMax', bits: 5 },
    { bits: 8, range: [-200, 55] },
    { bits: 16, range: [-65535, 0], symmetric: false },
  ];

  const valuesOf = (model: nn.Module): number[][] =>
    inTidy(() => Object.values(model.stateDict({ keyFormat: 'folded' })).map(bitsOf));

  it.each(cases)('loads into a plain module and into a quantized one, bit for bit: %j', async (options) => {
    nn.manualSeed(1);
    const model = quantizeAll(net(), options);
    // The scales are no longer those that the values alone give.
    inTidy(() => {
      const { original } = (model[2] as nn.Linear).parametrizations!.weight!;
      original!.assign(tf.mul(original!, 0.3));
    });
    if (options.observer !== undefined) model.eval();
    const wanted = valuesOf(model);
    const out = stream();
    const report = await saveQuantized(model, out.target);
    expect(report.tensors.every(({ isExact, reason }) => isExact && reason === null)).toBe(true);
    const plain = net();
    await loadQuantized(plain, out.bytes());
    expect(valuesOf(plain)).toEqual(wanted);
    const same = quantizeAll(net(), options);
    if (options.observer !== undefined) same.eval();
    await loadQuantized(same, out.bytes());
    expect(valuesOf(same)).toEqual(wanted);
    const scaleOf = (one: nn.Sequential): number[] =>
      flatten((parametrizationsOn(one[2] as nn.Linear, 'weight')[0] as FakeQuantize).scale);
    expect(scaleOf(same)).toEqual(scaleOf(model));
    for (const one of [model, plain, same]) one.dispose();
  });

  it.each([
    {},
    { dim: -1 },
    { bits: 4, groupSize: 2 },
    { dim: -1, symmetric: false },
  ] as FakeQuantizeOptions[])('has models of tf.layers in the layout of torch: %j', async (options) => {
    const model = quantizeAll(convNet(), options);
    const path = join(folder, 'layers.safetensors');
    const report = await saveQuantized(model, path);
    expect(report.tensors.every(({ isExact, reason }) => isExact && reason === null)).toBe(true);
    expect(report.tensors.find(({ name }) => name === 'conv.weight')!.shape).toEqual([4, 2, 3, 3]);
    const plain = convNet();
    await loadQuantized(plain, path);
    expect(predictionOf(plain)).toEqual(predictionOf(model));
    const same = quantizeAll(convNet(), options);
    await loadQuantized(same, path);
    expect(predictionOf(same)).toEqual(predictionOf(model));
    for (const one of [model, plain, same]) one.dispose();
    rmSync(path);
  });

  it('keeps recurrent layers with several scales exact', async () => {
    for (const type of ['lstm', 'gru'] as const) {
      const make = (): tf.Sequential =>
        tf.sequential({ layers: [tf.layers[type]({ units: 3, inputShape: [2, 4], name: 'rnn' } as never)] });
      const model = make();
      fakeQuantize(model.layers[0]!, 'cell.kernel' as never, { dim: 1 });
      fakeQuantize(model.layers[0]!, 'cell.recurrentKernel' as never);
      const out = stream();
      const report = await saveQuantized(model, out.target);
      expect(report.tensors.filter(({ dtype }) => dtype === 'int8')).toHaveLength(2);
      const plain = make();
      await loadQuantized(plain, out.bytes());
      inTidy(() => {
        const x = tf.ones([1, 2, 4]);
        expect(bitsOf(plain.predict(x) as tf.Tensor)).toEqual(bitsOf(model.predict(x) as tf.Tensor));
      });
      model.dispose();
      plain.dispose();
    }
  });

  it('goes through an IOHandler, and writes shared modules once', async () => {
    const make = (): nn.Sequential => {
      const one = new nn.Linear(3, 3);
      return new nn.Sequential(one, one);
    };
    const model = make();
    fakeQuantize(model[0] as nn.Linear, { dim: 0 });
    const handler = memory();
    const { tensors } = await saveQuantized(model, handler);
    expect(tensors.map(({ name }) => name)).toEqual(['0.weight', '0.bias']);
    const plain = make();
    await loadQuantized(plain, handler);
    expect(valuesOf(plain)).toEqual(valuesOf(model));
    model.dispose();
    plain.dispose();
  });

  it('writes tied weights once, and gives both the scales of the file', async () => {
    const make = (): nn.Sequential => {
      const made = new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 4));
      tie(made[1] as nn.Linear, 'weight', made[0] as nn.Linear, 'weight');
      fakeQuantize(made[0] as nn.Linear, { dim: 0 });
      return made;
    };
    const model = make();
    const out = stream();
    const { tensors } = await saveQuantized(model, out.target);
    expect(tensors.map(({ name, dtype }) => `${name} ${dtype}`)).toEqual([
      '0.weight int8',
      '0.bias float32',
      '1.bias float32',
    ]);
    const other = make();
    await loadQuantized(other, out.bytes());
    expect(valuesOf(other)).toEqual(valuesOf(model));
    model.dispose();
    other.dispose();
  });

  it('writes integers of whole chains, of masks, and of dropped weights as in evaluation', async () => {
    nn.manualSeed(3);
    const layer = new nn.Linear(8, 4);
    weightNorm(layer);
    prune(layer, { fraction: 0.5 });
    fakeQuantize(layer, { symmetric: false, dim: 0 });
    dropConnect(layer);
    const out = stream();
    const { tensors } = await saveQuantized(layer, out.target);
    expect(tensors[0]).toMatchObject({ dtype: 'uint8', isExact: true });
    const plain = new nn.Linear(8, 4);
    await loadQuantized(plain, out.bytes());
    layer.eval();
    inTidy(() => expect(bitsOf(plain.weight)).toEqual(bitsOf(layer.weight)));
    layer.dispose();
    plain.dispose();
  });

  it('writes float32 where a later map moves the value off the grid, with the reason', async () => {
    nn.manualSeed(3);
    const layer = new nn.Linear(8, 4);
    fakeQuantize(layer);
    lora(layer, { rank: 2 });
    inTidy(() => {
      for (const one of layer.parameters()) one.assign(tf.add(one, 0.01));
    });
    const out = stream();
    const { tensors } = await saveQuantized(layer, out.target);
    expect(tensors[0]).toMatchObject({ dtype: 'float32', reason: 'its value is not that of fakeQuantize' });
    layer.dispose();
  });
});
