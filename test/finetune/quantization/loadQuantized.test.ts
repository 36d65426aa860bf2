import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSafetensors, saveCheckpoint, writeSafetensors } from '../../../src/checkpoint/index.ts';
import { loadQuantized, saveQuantized, setAdapters } from '../../../src/finetune/index.ts';
import {
  dropConnect,
  type FakeQuantize,
  fakeQuantize,
  lora,
  nn,
  parametrizationsOn,
  parametrize,
  prune,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { bitsOf, convNet, memory, net, predictionOf, quantizeAll, stream } from './quantizedModels.ts';

const stateOf = (model: nn.Module): unknown =>
  inTidy(() => Object.entries(model.stateDict()).map(([key, tensor]) => [key, bitsOf(tensor)]));

const refused = (code: string, text: string) =>
  expect.objectContaining({ code, caller: 'loadQuantized', message: expect.stringContaining(text) });

/** Saves a quantized module. */
async function fileOf(model: nn.Module): Promise<Uint8Array> {
  const out = stream();
  await saveQuantized(model, out.target);
  return out.bytes();
}

/** Changes the header of a file of safetensors, of equal length. */
const edited = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
  const text = Buffer.from(bytes).toString('latin1');
  expect(text).toContain(from);
  expect(to).toHaveLength(from.length);
  return Uint8Array.from(Buffer.from(text.replace(from, to), 'latin1'));
};

/** Changes the metadata of a file. */
async function rewritten(
  bytes: Uint8Array,
  change: (metadata: Record<string, string>) => void,
): Promise<Uint8Array> {
  const { tensors, metadata } = readSafetensors(bytes);
  const notes = { ...metadata };
  change(notes);
  const file = await writeSafetensors(tensors, notes);
  tf.dispose(tensors);
  return file;
}

describe('loadQuantized', () => {
  let model: nn.Sequential;
  let file: Uint8Array;
  beforeEach(async () => {
    model = quantizeAll(net(), { symmetric: false, dim: 0 });
    file = await fileOf(model);
  });
  afterEach(() => model.dispose());

  /** Expects an error that changes neither a plain nor a quantized module. */
  async function expectRefused(bytes: Uint8Array, code: string, text: string): Promise<void> {
    for (const target of [net(), quantizeAll(net(), { symmetric: false, dim: 0 })]) {
      const before = stateOf(target);
      await expect(loadQuantized(target, bytes)).rejects.toEqual(refused(code, text));
      expect(stateOf(target)).toEqual(before);
      target.dispose();
    }
  }

  it('refuses files that are cut off, and files of others', async () => {
    await expectRefused(file.slice(0, -5), 'CORRUPT', 'the tensors end at byte');
    await expectRefused(file.slice(0, 4), 'NOT_A_CHECKPOINT', '');
    const plain = net();
    const out = stream();
    await saveCheckpoint(plain, out.target);
    await expectRefused(out.bytes(), 'NOT_A_CHECKPOINT', 'Load it with loadCheckpoint');
    plain.dispose();
  });

  it('refuses a list of quantized tensors that contradicts the file', async () => {
    const note = 'tfjs-parametrize.quantized';
    const withNote = (text: string): Promise<Uint8Array> =>
      rewritten(file, (notes) => Object.assign(notes, { [note]: text }));
    await expectRefused(await withNote('{'), 'CORRUPT', 'not JSON');
    await expectRefused(await withNote('[1]'), 'CORRUPT', 'not an object');
    for (const one of [
      null,
      { shape: [2] },
      { shape: [-1], range: [0, 1] },
      { shape: [1], range: [0, 1e9] },
    ]) {
      await expectRefused(
        await withNote(JSON.stringify({ '0.weight': one })),
        'CORRUPT',
        "'0.weight' is not valid",
      );
    }
    const missing = JSON.stringify({ other: { shape: [1], range: [0, 255] } });
    await expectRefused(await withNote(missing), 'CORRUPT', "no scales of 'other'");
  });

  it('refuses scales, zero points and integers of wrong types, shapes and numbers', async () => {
    // The tensors of a rewritten file are float32 and int32, so the bytes of the file itself are changed.
    await expectRefused(
      edited(file, '"0.weight":{"dtype":"U8"', '"0.weight":{"dtype":"I8"'),
      'CORRUPT',
      'the integers',
    );
    await expectRefused(
      edited(file, '"2.weight":{"dtype":"U8","shape":[5,24]', '"2.weight":{"dtype":"U8","shape":[24,5]'),
      'CORRUPT',
      'the integers',
    );
    await expectRefused(edited(file, '"0.weight_scale"', '"0.weight_scalf"'), 'CORRUPT', 'no scales');
    await expectRefused(
      edited(
        file,
        '"2.weight_scale":{"dtype":"F32","shape":[5,1]',
        '"2.weight_scale":{"dtype":"F32","shape":[1,5]',
      ),
      'CORRUPT',
      'the scales',
    );
    await expectRefused(
      edited(
        file,
        '"2.weight_zero_point":{"dtype":"U8","shape":[5,1]',
        '"2.weight_zero_point":{"dtype":"U8","shape":[1,5]',
      ),
      'CORRUPT',
      'the zero points',
    );
    const header = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    // The scales are float32, so they come first. The integers of both ranges are those of a byte.
    for (const bits of [0, 0xbf800000, 0x7fc00000, 0x7f800000]) {
      const copy = file.slice();
      const offsets = /"0\.weight_scale":\{[^}]*"data_offsets":\[(\d+)/.exec(
        Buffer.from(file).toString('latin1'),
      )!;
      new DataView(copy.buffer).setUint32(header + Number(offsets[1]), bits, true);
      await expectRefused(copy, 'CORRUPT', 'not a positive number');
    }
    const small = quantizeAll(net(), { bits: 3 });
    const bytes = await fileOf(small);
    bytes[bytes.length - 1] = 0x44;
    await expectRefused(bytes, 'CORRUPT', 'not in the range');
    small.dispose();
  });

  it('refuses models with other tensors, and says which', async () => {
    const other = new nn.Sequential(new nn.Conv2d(4, 6, 2), new nn.Flatten(), new nn.Linear(24, 4));
    const before = stateOf(other);
    await expect(loadQuantized(other, file)).rejects.toEqual(
      expect.objectContaining({ code: 'STATE_DICT', message: expect.stringContaining('2.weight') }),
    );
    expect(stateOf(other)).toEqual(before);
    const more = new nn.Sequential(...(net() as Iterable<nn.Module>), new nn.Linear(2, 2));
    await expect(loadQuantized(more, file)).rejects.toEqual(
      expect.objectContaining({ code: 'STATE_DICT', message: expect.stringContaining('3.weight') }),
    );
    const { missing } = await loadQuantized(more, file, { strict: false });
    expect(missing).toEqual(['3.weight', '3.bias']);
    for (const one of [other, more]) one.dispose();
  });

  it('refuses a fakeQuantize that cannot have the values, and changes nothing', async () => {
    for (const [options, text] of [
      [{ symmetric: false, dim: 0, bits: 4 }, 'integers of [0, 15], and the file has those of [0, 255]'],
      [{ symmetric: false }, 'fewer scales than the file'],
      [{ dim: 0, range: [0, 255] }, 'no zero points, and the file has some'],
    ] as const) {
      const target = quantizeAll(net(), options);
      const before = stateOf(target);
      await expect(loadQuantized(target, file)).rejects.toEqual(refused('CONFLICT', text));
      expect(stateOf(target)).toEqual(before);
      target.dispose();
    }
  });

  it('refuses other maps that change the numbers of the file, and takes them where they do not', async () => {
    const chainOf = (fraction: number, seed: number): nn.Linear => {
      nn.manualSeed(seed);
      const layer = new nn.Linear(8, 6);
      weightNorm(layer);
      prune(layer, { fraction });
      fakeQuantize(layer, { bits: 4 });
      dropConnect(layer);
      return layer;
    };
    const saved = chainOf(0.5, 1);
    const bytes = await fileOf(saved);
    const other = chainOf(0.5, 2);
    const before = stateOf(other);
    await expect(loadQuantized(other, bytes)).rejects.toEqual(refused('CONFLICT', "'weight' cannot have"));
    expect(stateOf(other)).toEqual(before);
    const hidesNothing = chainOf(0, 2);
    await loadQuantized(hidesNothing, bytes);
    inTidy(() => prune(other, { mask: hidesNothing.eval().weight, regrow: true }));
    await loadQuantized(other, bytes);
    for (const one of [saved, other, hidesNothing]) one.eval();
    inTidy(() => {
      expect(bitsOf(other.weight)).toEqual(bitsOf(saved.weight));
      expect(bitsOf(hidesNothing.weight)).toEqual(bitsOf(saved.weight));
    });
    for (const one of [saved, other, hidesNothing]) one.dispose();
  });

  it('refuses a trained adapter above the integers, and takes one that is not active', async () => {
    for (const make of [net, convNet] as (() => nn.Sequential | tf.Sequential)[]) {
      const [saved, target] = [quantizeAll(make(), { bits: 4 }), quantizeAll(make(), { bits: 4 })];
      const type = target instanceof nn.Module ? nn.Linear : 'Dense';
      parametrize(target, [{ type, apply: lora, options: { rank: 1 }, onConflict: 'append' }]);
      inTidy(() => {
        const trained: readonly (tf.Variable | tf.LayerVariable)[] =
          target instanceof nn.Module ? target.parameters() : target.trainableWeights;
        for (const one of trained) {
          const value = tf.randomNormal([...one.shape] as number[]);
          if (one instanceof tf.Variable) one.assign(value);
          else one.write(value);
        }
      });
      const out = stream();
      await saveQuantized(saved, out.target);
      const key = target instanceof nn.Module ? "'2.weight'" : "'dense.weight'";
      await expect(loadQuantized(target, out.bytes())).rejects.toEqual(refused('CONFLICT', key));
      setAdapters(target, null);
      await loadQuantized(target, out.bytes());
      const valueOf = (model: tf.LayersModel | nn.Sequential): number[] =>
        inTidy(() =>
          model instanceof nn.Module ? bitsOf((model[2] as nn.Linear).weight) : predictionOf(model),
        );
      expect(valueOf(target)).toEqual(valueOf(saved));
      for (const one of [saved, target]) one.dispose();
    }
  });

  it('refuses scales that make infinite numbers', async () => {
    const layer = new nn.Linear(3, 2, { bias: false });
    fakeQuantize(layer);
    const bytes = await fileOf(layer);
    const { scale } = parametrizationsOn(layer, 'weight')[0] as FakeQuantize;
    const numbers = Buffer.from(bytes);
    const at = numbers.indexOf(Buffer.from(Float32Array.from(scale.dataSync()).buffer));
    numbers.writeFloatLE(3e38, at);
    const plain = new nn.Linear(3, 2, { bias: false });
    const before = stateOf(plain);
    await expect(loadQuantized(plain, Uint8Array.from(numbers))).rejects.toEqual(
      refused('CORRUPT', 'a scale is too large'),
    );
    expect(stateOf(plain)).toEqual(before);
    layer.dispose();
    plain.dispose();
  });

  it('gives back the scales if a later tensor does not fit', async () => {
    const target = new nn.Sequential(new nn.Conv2d(4, 6, 2), new nn.Flatten(), new nn.Linear(24, 4));
    fakeQuantize(target[0] as nn.Conv2d, { symmetric: false, dim: 0 });
    const before = stateOf(target);
    await expect(loadQuantized(target, file)).rejects.toThrow();
    expect(stateOf(target)).toEqual(before);
    target.dispose();
  });

  it('renames keys, and takes a model with more scales', async () => {
    const target = new nn.Sequential(new nn.Flatten(), new nn.Linear(24, 5));
    fakeQuantize(target[1] as nn.Linear, { symmetric: false, dim: 0, groupSize: 8 });
    await loadQuantized(target, file, { rename: { 0: null, 2: '1' } });
    inTidy(() =>
      expect(bitsOf((target[1] as nn.Linear).weight)).toEqual(bitsOf((model[2] as nn.Linear).weight)),
    );
    expect((parametrizationsOn(target[1] as nn.Linear, 'weight')[0] as FakeQuantize).scale.shape).toEqual([
      5, 3,
    ]);
    target.dispose();
  });

  it('refuses options and models that are none, and the artifacts of a model', async () => {
    const target = net();
    await expect(loadQuantized(target, file, { catalog: {} } as never)).rejects.toEqual(
      refused('OPTION', 'catalog'),
    );
    await expect(loadQuantized({} as never, file)).rejects.toEqual(refused('UNSUPPORTED_HOST', ''));
    const layers = convNet();
    const handler = memory();
    await saveQuantized(layers, handler);
    await expect(loadQuantized(target, handler)).rejects.toEqual(
      refused('NOT_A_CHECKPOINT', 'tf.loadLayersModel'),
    );
    await expect(loadQuantized(target, 'nowhere://x')).rejects.toEqual(refused('OPTION', 'nowhere'));
    await expect(loadQuantized(target, { save: handler.save! })).rejects.toEqual(
      refused('OPTION', 'cannot load'),
    );
    target.dispose();
    layers.dispose();
  });
});

describe('saveQuantized refuses', () => {
  const refusedSave = (code: string, text: string) =>
    expect.objectContaining({ code, caller: 'saveQuantized', message: expect.stringContaining(text) });

  it('weights with NaN and infinity, and writes nothing', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const model = quantizeAll(convNet(), {});
      const handler = memory();
      inTidy(() => (model.getLayer('dense').getWeights()[1] as tf.Variable).assign(tf.tensor1d([1, bad, 2])));
      await expect(saveQuantized(model, handler)).rejects.toEqual(refusedSave('NOT_FINITE', "'dense/bias'"));
      expect(handler.saved).toBeNull();
      model.dispose();
      const module = quantizeAll(net(), {});
      inTidy(() => ((module[2] as nn.Linear).bias as tf.Variable).assign(tf.fill([5], bad)));
      const out = stream();
      await expect(saveQuantized(module, out.target)).rejects.toEqual(refusedSave('NOT_FINITE', "'2.bias'"));
      expect(out.bytes()).toHaveLength(0);
      module.dispose();
    }
  });

  it('targets that are none, options that are none and objects that are no models', async () => {
    const module = net();
    const layers = convNet();
    for (const [model, target, text] of [
      [layers, 'nowhere://x', 'nowhere'],
      [layers, 'model', "save to 'model'"],
      [layers, 5, 'none that can be written'],
      [layers, { load: async () => ({}) }, 'cannot save'],
      [module, '/tmp/model.json', 'model.json'],
      [module, '/tmp/model.pt', 'safetensors'],
    ] as const) {
      await expect(saveQuantized(model, target as never)).rejects.toEqual(refusedSave('OPTION', text));
    }
    await expect(saveQuantized(layers, memory(), { float16: true as never })).rejects.toEqual(
      refusedSave('OPTION', 'float16'),
    );
    await expect(saveQuantized(layers, memory(), { bits: 8 } as never)).rejects.toEqual(
      refusedSave('OPTION', "'bits'"),
    );
    await expect(saveQuantized({ weight: 1 }, stream().target)).rejects.toEqual(
      refusedSave('UNSUPPORTED_HOST', ''),
    );
    await expect(saveQuantized(layers.layers[0]!, memory())).rejects.toEqual(
      refusedSave('UNSUPPORTED_HOST', ''),
    );
    module.dispose();
    layers.dispose();
  });

  it('a tensor with the name of a part', async () => {
    class Odd extends nn.Linear {
      weight_scale = nn.parameter(() => tf.ones([2]));
    }
    const model = new Odd(2, 2);
    fakeQuantize(model);
    await expect(saveQuantized(model, stream().target)).rejects.toEqual(
      refusedSave('CONFLICT', "'weight_scale'"),
    );
    model.dispose();
  });
});
