import * as tf from '@tensorflow/tfjs';
import { nn, weightNorm } from 'tfjs-parametrize';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import {
  loadCheckpoint,
  readTorch,
  saveCheckpoint,
  writeSafetensors,
} from '../../../src/checkpoint/index.ts';
import { memoryHandler } from '../layerNetworks.ts';
import {
  Balrog,
  balrogLayers,
  DeepSdf,
  deepSdfLayers,
  goldenOf,
  type Naming,
  type NetworkName,
  torchFile,
} from './weightNormed.ts';

const within = { relative: 0, absolute: 1e-5 };

const modules = { balrog: Balrog, deepsdf: DeepSdf };
const layered = { balrog: balrogLayers, deepsdf: deepSdfLayers };
const names = ['balrog', 'deepsdf'] as const;

const named: Naming = (name) => ({ name });
const unnamed: Naming = () => ({});

/** Whether a network computes what torch does. */
function check(network: nn.Module | tf.LayersModel, name: NetworkName): void {
  const { x, y } = goldenOf(name);
  tf.tidy(() => {
    if (network instanceof nn.Module) {
      expect(network.call(x) as tf.Tensor).toBeAllClose(y, within);
      return;
    }
    const isSequence = x.rank === 3;
    const predicted = network.predict(isSequence ? tf.transpose(x, [0, 2, 1]) : x) as tf.Tensor;
    expect(isSequence ? tf.transpose(predicted, [0, 2, 1]) : predicted).toBeAllClose(y, within);
  });
  tf.dispose([x, y]);
}

const kernelsOf = (model: tf.LayersModel): tf.layers.Layer[] =>
  model.layers.filter((layer) => 'kernel' in layer);

/** The names of torch's modules for the layers with weights, in the order of the layers. */
function torchNames(name: NetworkName): Map<string, string> {
  const both = [layered[name](named), layered[name](unnamed)];
  const [own, other] = both.map((model) => kernelsOf(model).map((layer) => layer.name)) as [
    string[],
    string[],
  ];
  for (const model of both) model.dispose();
  return new Map(other.map((key, i) => [key.replace(/\d+$/, ''), own[i]!]));
}

describe.each(names)('%s, as torch saved it', (name) => {
  const file = torchFile(name);

  it.each([false, true])('gives the outputs of torch in nn (weight norm: %s)', async (isNormalized) => {
    const network = new modules[name](isNormalized);
    const report = await loadCheckpoint(network, file);
    check(network, name);
    expect([report.missing, report.unexpected]).toEqual([[], []]);
    expect(report.prefix).toBe(name === 'deepsdf' ? 'model_state_dict.module.' : '');
    if (name === 'balrog') {
      expect(report.ties).toContainEqual(
        isNormalized
          ? ['tcn.network.0.conv1.weight_g', 'tcn.network.0.net.0.weight_g']
          : ['tcn.network.0.conv1.weight_v', 'tcn.network.0.net.0.weight_v'],
      );
    }
    network.dispose();
  });

  it.each(['modern', 'legacy', 'folded'] as const)(
    'comes back from the key format %s, in nn and in tf.layers',
    async (keyFormat) => {
      const network = new modules[name](true);
      await loadCheckpoint(network, file);
      const handler = memoryHandler();
      await saveCheckpoint(network, handler, { keyFormat });
      for (const isNormalized of [false, true]) {
        const again = new modules[name](isNormalized);
        await loadCheckpoint(again, handler);
        check(again, name);
        again.dispose();
        const model = layered[name](named);
        if (isNormalized) for (const layer of kernelsOf(model)) weightNorm(layer, 'kernel');
        const report = await loadCheckpoint(model, handler);
        check(model, name);
        expect([report.missing, report.unexpected]).toEqual([[], []]);
        model.dispose();
      }
      network.dispose();
    },
  );

  it.each([false, true])(
    'gives the outputs of torch in named layers of tf.layers (weight norm: %s)',
    async (isNormalized) => {
      const model = layered[name](named);
      if (isNormalized) for (const layer of kernelsOf(model)) weightNorm(layer, 'kernel');
      const report = await loadCheckpoint(model, file);
      check(model, name);
      expect([report.missing, report.unexpected]).toEqual([[], []]);
      if (name === 'balrog') {
        expect(report.ties).toContainEqual(['tcn.network.0.conv1.bias', 'tcn.network.0.net.0.bias']);
      }
      const other = layered[name](unnamed);
      const handler = memoryHandler();
      await saveCheckpoint(model, handler);
      const saved = new modules[name](false);
      await loadCheckpoint(saved, handler);
      check(saved, name);
      saved.dispose();
      other.dispose();
      model.dispose();
    },
  );

  it.each([true, false])(
    'asks for names where layers have none (strict: %s), and loads by those that it shows',
    async (strict) => {
      const model = layered[name](unnamed);
      const before = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
      const error = await loadCheckpoint(model, file, { strict }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'AMBIGUOUS' });
      const after = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
      expect(after).toEqual(before);
      const shown = /\{ rename: (\{.*\}) \}/.exec((error as Error).message)![1]!;
      const rename = JSON.parse(shown.replaceAll("'", '"')) as Record<string, string>;
      expect(rename).toEqual((error as { rename: unknown }).rename);
      const expected = kernelsOf(model).map((layer, i) => [
        [...torchNames(name).values()][i] ?? '',
        layer.name,
      ]);
      expect(Object.values(rename).sort()).toEqual(expected.map(([, layer]) => layer).sort());
      await loadCheckpoint(model, file, { rename });
      check(model, name);
      model.dispose();
    },
  );

  it('comes back into layers without names, in their order of computing', async () => {
    const model = layered[name](named);
    await loadCheckpoint(model, file);
    const [first, second] = [layered[name](unnamed), layered[name](unnamed)];
    const handler = memoryHandler();
    await saveCheckpoint(model, handler);
    for (const each of [first, second]) {
      await loadCheckpoint(each, handler);
      check(each, name);
      await saveCheckpoint(each, handler);
    }
    for (const each of [model, first, second]) each.dispose();
  });
});

describe('a file with a module too many', () => {
  it('is refused with names that load right', async () => {
    const { tensors } = readTorch(torchFile('deepsdf'));
    const codes = tf.ones([3, 4]);
    const state = Object.fromEntries(
      Object.entries(tensors).flatMap(([key, value]) =>
        key === 'epoch' ? [] : [[key.replace('model_state_dict.module.', ''), value] as const],
      ),
    );
    const bytes = await writeSafetensors({ 'codes.weight': codes, ...state });
    const model = deepSdfLayers(unnamed);
    const error = await loadCheckpoint(model, bytes).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ code: 'STATE_DICT' });
    const shown = /\{ rename: (\{.*\}) \}/.exec((error as Error).message)![1]!;
    const rename = JSON.parse(shown.replaceAll("'", '"')) as Record<string, string>;
    expect(rename['codes']).toBe(null);
    expect(rename['lin0']).toBe(model.layers[1]!.name);
    await loadCheckpoint(model, bytes, { rename });
    check(model, 'deepsdf');
    tf.dispose([tensors, codes]);
    model.dispose();
  });
});
