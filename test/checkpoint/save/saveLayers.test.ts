import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import {
  nn,
  nonNeg,
  orthogonal,
  parametrize,
  pure,
  recipeOf,
  registerParametrization,
  spectralNorm,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import { describe, expect, it } from 'vitest';
import 'tfjs-parametrize/layers';
import { pythonWithTorch } from '../../../bench/measure/torchWorker.ts';
import { loadCheckpoint, readSafetensors, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import {
  at,
  dataOf,
  disposeModel,
  layerCases,
  layerOf,
  modelOf,
  setNumbers,
} from '../../layers/layerCases.ts';
import { fileOf, goldenOf, layerNetworks, memoryHandler, within } from '../layerNetworks.ts';

const isWasm = process.env['TFJS_BACKEND'] === 'wasm';

/** A model of the same layers, with numbers of its own. */
async function likeness(model: tf.LayersModel): Promise<tf.Sequential> {
  const made = await tf.models.modelFromJSON({
    modelTopology: model.toJSON(null, false) as never,
  } as never);
  setNumbers(made, 77);
  return made as tf.Sequential;
}

const numbersOf = (model: tf.LayersModel): Promise<[string, number[]][]> =>
  Promise.all(
    model.weights.map(
      async (weight): Promise<[string, number[]]> => [
        (weight as unknown as { originalName: string }).originalName,
        [...new Uint32Array(Float32Array.from(await weight.read().data()).buffer)],
      ],
    ),
  );

const catalog = { weightNorm, spectralNorm, orthogonal, nonNeg };

type Register = (host: object, name: string) => void;

const registrations: Record<string, Register> = {
  nothing: () => {},
  weightNorm: (host, name) => void weightNorm(host as nn.Linear, name as 'weight'),
  'weightNorm of all': (host, name) => void weightNorm(host as nn.Linear, name as 'weight', { dim: null }),
  spectralNorm: (host, name) => void spectralNorm(host as nn.Linear, name as 'weight'),
  orthogonal: (host, name) => void orthogonal(host as nn.Linear, name as 'weight'),
  nonNeg: (host, name) => void nonNeg(host as nn.Linear, name as 'weight'),
};

describe.each(Object.entries(layerCases))('%s', (_, layerCase) => {
  const names = Object.keys(registrations).filter((name) => name !== 'orthogonal' || !layerCase.isVector);
  it.each(names)('comes back bit for bit, parametrized by %s', async (name) => {
    const register = (model: tf.Sequential): void => {
      for (const path of layerCase.kernels) {
        const { host, name: tensor } = at(layerOf(model), path);
        registrations[name]!(host, tensor);
      }
    };
    const model = modelOf(layerCase);
    register(model);
    // Not the originals that registration makes. Matrices, of which orthogonal maps make others, stay.
    if (name === 'weightNorm') setNumbers(model, 3);
    // Of a sum of two biases in torch, zeros of both signs come back too.
    tf.tidy(() => {
      for (const weight of model.weights.filter(({ originalName }) => originalName.endsWith('/bias'))) {
        const bias = weight.read() as tf.Variable;
        const signs = Array.from({ length: bias.size }, (_, i) => (i === 0 ? -0 : 1));
        bias.assign(tf.mul(bias, tf.tensor1d(signs)));
      }
    });
    const before = await numbersOf(model);
    const { x, y } = dataOf(layerCase);
    const predicted = model.predict(x) as tf.Tensor;
    for (const keyFormat of [undefined, 'modern', 'legacy', 'folded'] as const) {
      const handler = memoryHandler();
      await saveCheckpoint(model, handler, keyFormat === undefined ? {} : { keyFormat });
      const plain = await likeness(model);
      if (keyFormat === 'folded') {
        await loadCheckpoint(plain, handler);
        const again = plain.predict(x) as tf.Tensor;
        if (!(layerCase.isWrongOnWasm && isWasm)) expect(again).toBeAllClose(predicted, { absolute: 1e-5 });
        again.dispose();
      } else {
        const { registered } = await loadCheckpoint(plain, handler, { catalog });
        expect(registered.length).toBe(name === 'nothing' ? 0 : layerCase.kernels.length);
        expect(sorted(await numbersOf(plain))).toEqual(sorted(before));
        const parametrized = await likeness(model);
        register(parametrized);
        const { notes: __, ...report } = await loadCheckpoint(parametrized, handler);
        expect(report.mapped.length).toBeGreaterThan(0);
        expect(await numbersOf(parametrized)).toEqual(before);
        parametrized.dispose();
      }
      plain.dispose();
    }
    tf.dispose([x, y, predicted]);
    model.dispose();
  });
});

/** What a recipe registers may come in another order than what a program did. */
const sorted = (entries: [string, number[]][]): [string, number[]][] =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

describe('a saved model of tf.layers', () => {
  it('has torch names, shapes and recipe where torch has the same, and its own elsewhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layers-'));
    const path = join(folder, 'model.safetensors');
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 4, 2], name: 'conv' }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3, name: 'fc' }),
        tf.layers.reshape({ targetShape: [3, 1] }),
        tf.layers.gru({ units: 2, name: 'gru' }),
      ],
    });
    weightNorm(model.layers[0]!, 'kernel');
    orthogonal(model.layers[2]!, 'kernel');
    await saveCheckpoint(model, path, { metadata: { epoch: '3' } });
    const { tensors, metadata } = readSafetensors(readFileSync(path));
    const shapes = Object.fromEntries(Object.entries(tensors).map(([key, { shape }]) => [key, shape]));
    expect(shapes).toEqual({
      'conv.bias': [3],
      'conv.parametrizations.weight.original0': [3, 1, 1, 1],
      'conv.parametrizations.weight.original1': [3, 2, 2, 2],
      'fc.bias': [3],
      'fc.parametrizations.kernel.0.base': [27, 27],
      'fc.parametrizations.kernel.original': [27, 3],
      'gru.cell.bias': [6],
      'gru.cell.kernel': [1, 6],
      'gru.cell.recurrentKernel': [2, 6],
    });
    expect(metadata['epoch']).toBe('3');
    expect(JSON.parse(metadata['tfjs-parametrize']!)).toMatchObject({
      parametrizations: [
        { path: 'conv', tensor: 'weight', steps: [{ kind: 'weightNorm', options: { dim: [0] } }] },
        { path: 'fc', tensor: 'kernel', steps: [{ kind: 'orthogonal' }] },
      ],
    });
    await saveCheckpoint(model, path, { keyFormat: 'folded' });
    const folded = readSafetensors(readFileSync(path));
    expect(Object.keys(folded.tensors)).toContain('fc.weight');
    expect(folded.metadata['tfjs-parametrize']).toBe(undefined);
    tf.dispose([tensors, folded.tensors]);
    model.dispose();
    rmSync(folder, { recursive: true });
  });

  it('is read by modules of nn, and parametrizes them', async () => {
    const model = layerNetworks['cnn_weight_norm']!();
    for (const layer of model.layers) if ('kernel' in layer) weightNorm(layer as tf.layers.Layer, 'kernel');
    const handler = memoryHandler();
    await saveCheckpoint(model, handler);
    class Net extends nn.Module {
      a = new nn.Conv2d(2, 3, 3, { padding: 1 });
      b = new nn.Conv2d(3, 4, 2, { stride: 2 });
      c = new nn.Linear(36, 3);
      forward(x: tf.Tensor): tf.Tensor {
        return this.c.call(tf.reshape(this.b.call(tf.relu(this.a.call(x))), [-1, 36]));
      }
    }
    const net = new Net();
    const [first, , , second] = model.layers as tf.layers.Layer[];
    const dense = model.layers.at(-1)!;
    const others = model.layers.filter((layer) => /norm|relu|re_lu/.test(layer.name)).map(({ name }) => name);
    const rename = {
      [first!.name]: 'a',
      [second!.name]: 'b',
      [dense.name]: 'c',
      ...Object.fromEntries(others.map((name) => [name, null])),
    };
    // The recipe names the layers as the file does.
    await loadCheckpoint(net, handler, { rename });
    tf.tidy(() => {
      expect(net.a.weight).toBeAllClose(tf.transpose(valueOf(first!, 'kernel'), [3, 2, 0, 1]), {
        absolute: 1e-6,
      });
      const rows = tf.reshape(valueOf(dense, 'kernel'), [3, 3, 4, 3]);
      expect(net.c.weight).toBeAllClose(tf.reshape(tf.transpose(rows, [3, 2, 0, 1]), [3, 36]), {
        absolute: 1e-6,
      });
    });
    net.dispose();
    model.dispose();
  });

  it('leaves the model as it is, and no tensor', async () => {
    const model = layerNetworks['cnn']!();
    spectralNorm(model.layers[0]!, 'kernel');
    const before = await numbersOf(model);
    const { numTensors } = tf.memory();
    const handler = memoryHandler();
    for (const keyFormat of ['modern', 'legacy', 'folded'] as const)
      await saveCheckpoint(model, handler, { keyFormat });
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(await numbersOf(model)).toEqual(before);
    model.dispose();
    await expect(saveCheckpoint(model, handler)).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(tf.memory().numTensors).toBe(numTensors - before.length);
  });

  it('needs names that a state dict can tell apart', async () => {
    const inner = tf.sequential({
      name: 'a',
      layers: [tf.layers.dense({ units: 1, inputShape: [1], name: 'b' })],
    });
    const model = tf.sequential({ layers: [inner, tf.layers.dense({ units: 1, name: 'a.b' })] });
    await expect(saveCheckpoint(model, memoryHandler())).rejects.toMatchObject({ code: 'AMBIGUOUS' });
    model.dispose();
    const other = tf.sequential({
      layers: [tf.layers.dense({ units: 1, inputShape: [1], name: 'training' })],
    });
    await expect(saveCheckpoint(other, memoryHandler())).rejects.toMatchObject({ code: 'INVALID_NAME' });
    other.dispose();
  });
});

const python = pythonWithTorch(['python3', '/usr/bin/python3']);
if (python === undefined) console.warn('no Python here can import torch: what it reads is not tested');

/** The names of torch's modules, in the order of the layers. */
const torchNames: Record<string, string[]> = {
  mlp: ['0', '2', '3'],
  mlp_weight_norm: ['0', '2', '3'],
  mlp_spectral_norm: ['0', '2', '3'],
  generator: ['project', 'norm', 'up', 'out'],
  generator_weight_norm: ['project', 'norm', 'up', 'out'],
  generator_spectral_norm: ['project', 'norm', 'up', 'out'],
  conv1d: ['features.0', 'classifier'],
  conv3d: ['features.0', 'classifier'],
  rnn: ['embedding', 'rnn', 'head'],
  bidirectional: ['embedding', 'rnn', 'head'],
};

/** The network with layers that are called as torch's modules. */
async function namedNetwork(network: string): Promise<tf.Sequential> {
  const unnamed = layerNetworks[network]!();
  const weighted = unnamed.layers.filter(({ weights }) => weights.length > 0).map(({ name }) => name);
  let json = unnamed.toJSON() as string;
  for (const [i, name] of weighted.entries()) {
    json = json.replaceAll(`"name":"${name}"`, `"name":"${torchNames[network]![i]}"`);
  }
  unnamed.dispose();
  return (await tf.models.modelFromJSON(JSON.parse(json))) as tf.Sequential;
}

describe.skipIf(python === undefined)('PyTorch', () => {
  it('loads what models of tf.layers save into its own modules, strictly, and computes the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layers-'));
    const cases: { name: string; file: string; network: string; x: unknown }[] = [];
    const outputs = new Map<string, tf.Tensor>();
    for (const network of Object.keys(torchNames)) {
      const model = await namedNetwork(network);
      const kernels = model.layers.filter((layer) => /^(?:Dense|Conv)/.test(layer.getClassName()));
      for (const layer of kernels) {
        // Torch's weight norm has its norms along axis 0, which are the inputs of transposed convolutions.
        const isTransposed = layer.getClassName() === 'Conv2DTranspose';
        if (network.includes('weight_norm')) weightNorm(layer, 'kernel', isTransposed ? { dim: 3 } : {});
        if (network.includes('spectral_norm')) spectralNorm(layer, 'kernel');
      }
      // All numbers others than those that the file of the test has.
      await loadCheckpoint(model, fileOf(network));
      tf.tidy(() => {
        for (const weight of model.trainableWeights) {
          const variable = weight.read() as tf.Variable;
          variable.assign(tf.mul(variable, 1.25));
        }
      });
      const { x, y } = goldenOf(network);
      const predicted = model.predict(x) as tf.Tensor;
      outputs.set(network, channelsFirst(predicted));
      // What torch has of spectral norm in 1.13 is in the modern key format, of weight norm in the old one.
      const keyFormat = network.includes('weight_norm') ? 'legacy' : 'modern';
      await saveCheckpoint(model, join(folder, `${network}.safetensors`), { keyFormat });
      const first = channelsFirst(x);
      cases.push({ name: network, file: `${network}.safetensors`, network, x: await first.array() });
      tf.dispose([x, y, predicted, first]);
      model.dispose();
    }
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases));
    const script = fileURLToPath(new URL('load_in_torch.py', import.meta.url));
    const answers = execFileSync(python!, [script, folder], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { name: string; y: number[] });
    expect(answers.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const { name, y } of answers) {
      const actual = tf.tensor(y as never);
      expect(actual, name).toBeAllClose(outputs.get(name)!, within);
      actual.dispose();
    }
    for (const output of outputs.values()) output.dispose();
    rmSync(folder, { recursive: true });
  });
});

const channelsFirst = (value: tf.Tensor): tf.Tensor =>
  value.rank > 3 || value.shape.join() === '2,8,2'
    ? tf.transpose(value, [0, value.rank - 1, ...value.shape.map((_, axis) => axis).slice(1, -1)])
    : tf.clone(value);

describe('a layer that a catalog without definitions has parametrized', () => {
  it('keeps the kinds of the catalog, through any number of files', async () => {
    const catalog = {
      negated: (host: object, name: string) =>
        registerParametrization(host as nn.Linear, name as 'weight', pure(tf.neg)),
    };
    const make = () =>
      tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3], name: 'out' })] });
    const models = [make()];
    parametrize(models[0]!, [{ apply: 'negated' }], { catalog });
    for (let i = 0; i < 2; i++) {
      const handler = memoryHandler();
      await saveCheckpoint(models[i]!, handler);
      models.push(make());
      const { registered } = await loadCheckpoint(models[i + 1]!, handler, { catalog });
      expect(registered).toEqual(['out.kernel']);
      expect(recipeOf(models[i + 1]!)).toEqual(recipeOf(models[0]!));
    }
    expect(recipeOf(models[0]!).parametrizations).toEqual([
      { path: 'out', tensor: 'kernel', steps: [{ kind: 'negated', options: {} }] },
    ]);
    for (const model of models) disposeModel(model);
  });
});
