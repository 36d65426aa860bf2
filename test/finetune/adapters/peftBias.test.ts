import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../../src/checkpoint/index.ts';
import {
  loadAdapter,
  mergeAdapters,
  type PeftConfig,
  saveAdapter,
  setAdapters,
  unloadAdapters,
} from '../../../src/finetune/index.ts';
import { dora, lora, loraBias, nn, parametrizationsOn, parametrize, valueOf } from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { inTidy } from '../../parametrize/fixtures.ts';
import { flatten } from '../../toBeAllClose.ts';

const config: PeftConfig = { r: 2, lora_alpha: 6, lora_bias: true };
const scaling = 3;

/** A Linear and a Conv2d, with the name of their adapters in a file. */
const shapes = {
  dense: { lora_A: [2, 4], lora_B: [3, 2], bias: [3], weight: [3, 4] },
  conv: { lora_A: [2, 3, 3, 3], lora_B: [5, 2, 1, 1], bias: [5], weight: [5, 3, 3, 3] },
};

class Net extends nn.Module {
  dense = new nn.Linear(4, 3);
  conv = new nn.Conv2d(3, 5, 3);

  override forward(x: tf.Tensor): tf.Tensor {
    return this.dense.call(x);
  }
}

function layersNet(useBias = true): tf.LayersModel {
  const [x, image] = [tf.input({ shape: [4] }), tf.input({ shape: [5, 5, 3] })];
  const [a, b] = [
    tf.layers.dense({ name: 'dense', units: 3, useBias }),
    tf.layers.conv2d({ name: 'conv', filters: 5, kernelSize: 3 }),
  ];
  return tf.model({
    inputs: [x, image],
    outputs: [a.apply(x) as tf.SymbolicTensor, b.apply(image) as tf.SymbolicTensor],
  });
}

/** The tensors of a file, all of them different. */
function fileTensors(): tf.NamedTensorMap {
  const found: tf.NamedTensorMap = {};
  let seed = 1;
  for (const [path, { lora_A, lora_B, bias }] of Object.entries(shapes)) {
    const random = (shape: number[]): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed++);
    found[`base_model.model.${path}.lora_A.weight`] = random(lora_A);
    found[`base_model.model.${path}.lora_B.weight`] = random(lora_B);
    found[`base_model.model.${path}.lora_B.bias`] = random(bias);
  }
  return found;
}

async function fileOf(tensors: tf.NamedTensorMap): Promise<Uint8Array> {
  const bytes = await writeSafetensors(tensors, { format: 'pt' });
  tf.dispose(tensors);
  return bytes;
}

async function savedBy(model: object, options = {}): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  await saveAdapter(model, (name, bytes) => void found.set(name, bytes), options);
  return found;
}

const biasOf = (model: object, path: string): number[] => {
  const host =
    model instanceof nn.Module
      ? (model as never as Record<string, object>)[path]!
      : (model as tf.LayersModel).getLayer(path);
  return tf.tidy(() => flatten(valueOf(host, 'bias')));
};

describe.each([
  ['a module', () => new Net()],
  ['a model of tf.layers', () => layersNet()],
] as const)('the bias of B in %s', (_, make) => {
  it('is a part of the bias: loaded, switched, merged, unmerged, saved with the same bytes, and unloaded', async () => {
    const model = make();
    const bases = { dense: biasOf(model, 'dense'), conv: biasOf(model, 'conv') };
    const bytes = await fileOf(fileTensors());
    const { tensors } = readSafetensors(bytes);
    const report = await loadAdapter(model, bytes, { config, adapter: 'a' });
    expect([...report.paths].sort()).toEqual(['conv.bias', 'conv.weight', 'dense.bias', 'dense.weight']);
    const wanted = (path: 'dense' | 'conv', weight: number): number[] =>
      flatten(tensors[`base_model.model.${path}.lora_B.bias`]!).map(
        (c, i) => bases[path][i]! + weight * scaling * c,
      );
    const expectWeight = (weight: number): void => {
      for (const path of ['dense', 'conv'] as const) {
        expect(biasOf(model, path)).toBeAllClose(wanted(path, weight));
      }
    };
    expectWeight(1);
    setAdapters(model, { a: -0.5 });
    expectWeight(-0.5);
    setAdapters(model, null);
    expectWeight(0);
    setAdapters(model, 'a');
    const before = biasOf(model, 'dense');
    const merged = await mergeAdapters(model);
    expect(merged.paths).toHaveLength(4);
    expectWeight(1);
    merged.unmerge();
    expect(biasOf(model, 'dense')).toEqual(before);
    const saved = await savedBy(model, { adapter: 'a' });
    expect(Buffer.from(saved.get('adapter_model.safetensors')!).equals(Buffer.from(bytes))).toBe(true);
    expect(JSON.parse(new TextDecoder().decode(saved.get('adapter_config.json')))).toMatchObject(config);
    unloadAdapters(model);
    expect(biasOf(model, 'dense')).toEqual(bases.dense);
    expect(biasOf(model, 'conv')).toEqual(bases.conv);
    tf.dispose(tensors);
    model.dispose();
  });

  it('is saved for a new adapter, whose plain biases in the file are those without it', async () => {
    const model = make();
    const names = model instanceof nn.Module ? ['weight', 'bias'] : ['kernel', 'bias'];
    parametrize(model, [
      { name: names[0]!, apply: lora, options: { rank: 2, alpha: 6 } },
      { name: names[1]!, apply: loraBias, options: { rank: 2, alpha: 6 } },
    ] as never);
    const host =
      model instanceof nn.Module ? (model as Net).dense : (model as tf.LayersModel).getLayer('dense');
    const list = parametrizationsOn(host, 'bias');
    const change = list.namedParameters().find(([key]) => key === '0.lora_bias.default')![1];
    inTidy(() => change.assign(tf.ones([3])));
    const saved = await savedBy(model, { bias: 'lora_only' });
    const { tensors } = readSafetensors(saved.get('adapter_model.safetensors')!);
    const parts = ['bias', 'lora_A.weight', 'lora_B.bias', 'lora_B.weight'];
    expect(Object.keys(tensors).sort()).toEqual(
      ['conv', 'dense'].flatMap((path) => parts.map((part) => `base_model.model.${path}.${part}`)),
    );
    inTidy(() => {
      expect(flatten(tensors['base_model.model.dense.lora_B.bias']!)).toEqual([1, 1, 1]);
      expect(tensors['base_model.model.dense.bias']!).toBeAllClose(list.original as tf.Tensor);
    });
    tf.dispose(tensors);
    model.dispose();
  });
});

describe('the bias of B', () => {
  it('is refused for a module without a bias, of another shape, and beside a config that contradicts it', async () => {
    const refused = async (
      model: object,
      given: PeftConfig,
      change: (tensors: tf.NamedTensorMap) => void,
    ) => {
      const tensors = fileTensors();
      change(tensors);
      const before = model instanceof nn.Module ? Object.keys(model.stateDict()) : [];
      const error = (await loadAdapter(model, await fileOf(tensors), { config: given }).catch(
        (one: unknown) => one,
      )) as Error & { code: string };
      if (model instanceof nn.Module) expect(Object.keys(model.stateDict())).toEqual(before);
      (model as nn.Module).dispose();
      return `${error.code}: ${error.message}`;
    };
    const plain = new Net();
    plain.dense.dispose();
    plain.dense = new nn.Linear(4, 3, { bias: false });
    const drop = (key: string) => (tensors: tf.NamedTensorMap) => {
      tensors[key]!.dispose();
      delete tensors[key];
    };
    const key = 'base_model.model.conv.lora_B.bias';
    expect([
      await refused(plain, config, () => {}),
      await refused(layersNet(false), config, () => {}),
      await refused(new Net(), { ...config, lora_bias: false }, () => {}),
      await refused(new Net(), config, drop(key)),
      await refused(new Net(), config, (tensors) => {
        drop(key)(tensors);
        tensors[key] = tf.ones([4]);
      }),
    ]).toMatchInlineSnapshot(`
      [
        "UNSUPPORTED: loadAdapter: the adapter of 'dense' has a bias of B, and the module has no bias that it could change. Give the module a bias of zeros, or merge the adapter in PEFT.",
        "UNSUPPORTED: loadAdapter: the adapter of 'dense' has a bias of B, and the module has no bias that it could change. Give the module a bias of zeros, or merge the adapter in PEFT.",
        "CORRUPT: loadAdapter: the adapter of 'conv' has lora_B.bias, and its config does not say lora_bias. Load the config of the same adapter.",
        "CORRUPT: loadAdapter: the adapter of 'conv' has no lora_B.bias, and its config says lora_bias. Load the config of the same adapter.",
        "SHAPE: loadAdapter: the bias of B of 'conv' has shape [4], the bias of the module [5]. Load the adapter into the model that it was trained for.",
      ]
    `);
  });

  it('is not saved where PEFT cannot have it, with the reason', async () => {
    const refused = async (register: (model: Net) => void): Promise<string> => {
      const model = new Net();
      register(model);
      const error = (await savedBy(model).catch((one: unknown) => one)) as Error & { code: string };
      model.dispose();
      return `${error.code}: ${error.message}`;
    };
    const rank = { rank: 2 };
    expect([
      await refused(({ dense }) => loraBias(dense, 'bias', rank)),
      await refused(({ dense, conv }) => {
        for (const layer of [dense, conv]) lora(layer as nn.Linear, rank);
        loraBias(dense, 'bias', rank);
      }),
      await refused(({ dense }) => {
        lora(dense, rank);
        loraBias(dense, 'bias', { rank: 1 });
      }),
      await refused(({ dense }) => {
        lora(dense, rank);
        loraBias(dense, 'bias', { ...rank, useRslora: true });
      }),
      await refused(({ dense }) => {
        dora(dense, rank);
        loraBias(dense, 'bias', rank);
      }),
      await refused(({ dense }) => loraBias(dense, 'weight', rank)),
    ]).toMatchInlineSnapshot(`
      [
        "UNSUPPORTED: saveAdapter: the adapter of 'dense.bias' cannot be saved: PEFT has it only beside an adapter of the weight. Save the model with saveCheckpoint.",
        "UNSUPPORTED: saveAdapter: the adapter of 'dense.bias' cannot be saved: the module of 'conv.weight' has no adapter of its bias, and PEFT has one for all modules of an adapter or for none. Save the model with saveCheckpoint.",
        "UNSUPPORTED: saveAdapter: 'dense.weight' and 'dense.bias' differ in rank, and a file has one for all. Give adapters with other settings another name.",
        "UNSUPPORTED: saveAdapter: 'dense.weight' and 'dense.bias' differ in useRslora, and a file has one for all. Give adapters with other settings another name.",
        "UNSUPPORTED: saveAdapter: the adapter of 'dense.bias' cannot be saved: PEFT has no bias of B beside dora. Save the model with saveCheckpoint.",
        "UNSUPPORTED: saveAdapter: the adapter of 'dense.weight' cannot be saved: PEFT has such adapters of 'bias' only, not of 'weight'. Save the model with saveCheckpoint.",
      ]
    `);
  });
});
