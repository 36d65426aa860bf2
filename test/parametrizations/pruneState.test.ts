import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, readSafetensors, saveCheckpoint } from '../../src/checkpoint/index.ts';
import {
  applyRecipe,
  clone,
  fold,
  nn,
  type Prune,
  parametrizationsOn,
  prune,
  recipeOf,
  removeParametrization,
  removeParametrizations,
  spectralNorm,
  valueOf,
  weightNorm,
} from '../../src/index.ts';
import { syncModel } from '../../src/layers/index.ts';
import { torchArchiveOf } from '../checkpoint/formats/torchArchiveOf.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { disposeOptimizer, optimizers } from '../parametrize/laws/specimens.ts';
import { flatten } from '../toBeAllClose.ts';

const maskOf = (host: object, name: string, step = 0): number[] =>
  flatten((parametrizationsOn(host, name)[step] as Prune).mask);

const weightOf = (layer: nn.Linear): number[] => inTidy(() => flatten(layer.weight));

const zerosIn = (numbers: readonly number[]): number => numbers.filter((x) => x === 0).length;

/** The bytes of the checkpoint of a model. */
async function fileOf(model: object, options: object = {}): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk.slice()) });
  await saveCheckpoint(model as nn.Module, stream, options);
  return Buffer.concat(chunks);
}

const catalog = { prune, weightNorm };

describe('the state of a pruned module', () => {
  it('has the keys of torch in both key formats, and is loaded from either into pruned and plain modules', () => {
    const layer = new nn.Linear(4, 3);
    prune(layer, { fraction: 0.5 });
    const value = weightOf(layer);
    expect(Object.keys(layer.stateDict())).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0.mask',
    ]);
    const legacy = layer.stateDict({ keyFormat: 'legacy' });
    expect(Object.keys(legacy)).toEqual(['bias', 'weight_orig', 'weight_mask']);
    for (const state of [layer.stateDict(), legacy]) {
      const pruned = new nn.Linear(4, 3);
      prune(pruned);
      pruned.loadStateDict(state);
      expect(weightOf(pruned)).toEqual(value);
      expect(flatten(pruned.parametrizations!.weight!.original!)).toEqual(flatten(legacy['weight_orig']!));
      expect(maskOf(pruned, 'weight')).toEqual(maskOf(layer, 'weight'));
      const plain = new nn.Linear(4, 3);
      const { mapped } = plain.loadStateDict(state);
      expect(mapped[0]!.actions).toEqual([{ kind: 'fold', by: 'prune' }]);
      expect(weightOf(plain)).toEqual(value);
      const normed = new nn.Linear(4, 3);
      weightNorm(normed);
      normed.loadStateDict(state);
      expect(weightOf(normed)).toBeAllClose(value);
      for (const one of [pruned, plain, normed]) one.dispose();
    }
    layer.dispose();
  });

  it.each([false, true])('is read from a file that torch has written: masks before %s', async (isPruned) => {
    const folder = new URL('../golden/pruned/', import.meta.url);
    const { input, output } = JSON.parse(readFileSync(new URL('outputs.json', folder), 'utf8'));
    const model = new nn.Sequential(
      new nn.Conv1d(2, 4, 3),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(12, 5),
      new nn.ReLU(),
      new nn.Linear(5, 3),
    );
    if (isPruned) for (const i of [0, 3, 5]) prune(model[i]!);
    await loadCheckpoint(model, readFileSync(new URL('network.pt', folder)));
    inTidy(() => expect(model.call(tf.tensor3d(input))).toBeAllClose(tf.tensor2d(output)));
    // Half of the elements, and half of the others.
    expect(zerosIn(inTidy(() => flatten((model[0] as nn.Conv1d).weight)))).toBe(18);
    expect(zerosIn(weightOf(model[3] as nn.Linear))).toBe(24);
    expect(zerosIn(weightOf(model[5] as nn.Linear))).toBe(7);
    model.dispose();
  });

  it('is read from a file of torch, into plain, pruned and normalized modules and layers of tf.layers', async () => {
    nn.manualSeed(3);
    const source = new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
    prune(source[0] as nn.Linear, { fraction: 0.5 });
    prune(source[1] as nn.Linear, 'bias', { count: 1 });
    const state = source.stateDict({ keyFormat: 'legacy' });
    const keys = ['0.bias', '0.weight_orig', '0.weight_mask', '1.weight', '1.bias_orig', '1.bias_mask'];
    expect(Object.keys(state).sort()).toEqual([...keys].sort());
    const file = torchArchiveOf(Object.fromEntries(keys.map((key) => [key, state[key]!])));
    const values = (model: nn.Sequential): number[][] =>
      [0, 1].flatMap((i) => ['weight', 'bias'].map((name) => flatten(valueOf(model[i]!, name))));
    const wanted = inTidy(() => values(source));
    const plain = new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
    const pruned = new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
    prune(pruned[0] as nn.Linear);
    const normed = new nn.Sequential(new nn.Linear(4, 3), new nn.Linear(3, 2));
    weightNorm(normed[0] as nn.Linear);
    for (const model of [plain, pruned, normed]) {
      await loadCheckpoint(model, file);
      inTidy(() => {
        for (const [i, numbers] of values(model).entries()) expect(numbers).toBeAllClose(wanted[i]!);
      });
    }
    expect(maskOf(pruned[0]!, 'weight')).toEqual(maskOf(source[0]!, 'weight'));
    const layers = tf.sequential({
      layers: [
        tf.layers.dense({ name: '0', units: 3, inputShape: [4] }),
        tf.layers.dense({ name: '1', units: 2 }),
      ],
    });
    await loadCheckpoint(layers, file);
    inTidy(() => {
      const x = tf.randomNormal([2, 4], 0, 1, 'float32', 1);
      expect(layers.predict(x) as tf.Tensor).toBeAllClose(source.call(x) as tf.Tensor);
    });
    for (const one of [source, plain, pruned, normed, layers]) one.dispose();
  });

  it('is told apart from spectral norm, which has weight_orig too', () => {
    nn.manualSeed(1);
    const normed = new nn.Linear(4, 3);
    spectralNorm(normed).eval();
    const pruned = new nn.Linear(4, 3);
    prune(pruned, { fraction: 0.5 });
    const [ofNormed, ofPruned] = [normed, pruned].map((layer) => layer.stateDict({ keyFormat: 'legacy' }));
    expect(Object.keys(ofNormed!)).toEqual(['bias', 'weight_orig', 'weight_u', 'weight_v']);
    const [a, b] = [new nn.Linear(4, 3), new nn.Linear(4, 3)];
    expect(a.loadStateDict(ofNormed!).mapped[0]!.actions[0]).toMatchObject({ by: 'spectralNorm' });
    expect(b.loadStateDict(ofPruned!).mapped[0]!.actions[0]).toMatchObject({ by: 'prune' });
    expect(weightOf(a)).toBeAllClose(weightOf(normed));
    expect(weightOf(b)).toEqual(weightOf(pruned));
    // A pruned layer takes the value of the other.
    const value = weightOf(normed);
    pruned.loadStateDict(ofNormed!);
    expect(flatten(pruned.parametrizations!.weight!.original!)).toBeAllClose(value);
    const half = { bias: ofPruned!['bias']!, weight_orig: ofPruned!['weight_orig']! };
    expect(() => b.loadStateDict(half)).toThrow('missing: weight');
    for (const one of [normed, pruned, a, b]) one.dispose();
  });

  it('is saved, loaded by its recipe, copied and folded, also above weight norm', async () => {
    nn.manualSeed(2);
    const make = (): nn.Sequential => new nn.Sequential(new nn.Linear(4, 4), new nn.Linear(4, 2));
    const model = make();
    prune(model[0] as nn.Linear, { fraction: 0.5 });
    weightNorm(model[1] as nn.Linear);
    prune(model[1] as nn.Linear, { nOfM: [2, 4] });
    const values = [0, 1].map((i) => weightOf(model[i] as nn.Linear));
    const expectSame = (other: nn.Sequential): void => {
      expect(weightOf(other[0] as nn.Linear)).toEqual(values[0]);
      expect(weightOf(other[1] as nn.Linear)).toBeAllClose(values[1]!);
    };
    const recipe = recipeOf(model);
    expect(recipe.parametrizations.map(({ steps }) => steps.map(({ kind }) => kind))).toEqual([
      ['prune'],
      ['weightNorm', 'prune'],
    ]);
    const file = await fileOf(model);
    const [loaded, folded, again] = [make(), make(), make()];
    await loadCheckpoint(loaded, file, { catalog });
    expectSame(loaded);
    expect(recipeOf(loaded)).toEqual(recipe);
    await loadCheckpoint(folded, await fileOf(model, { keyFormat: 'folded' }));
    expectSame(folded);
    applyRecipe(again, JSON.stringify(recipe), { catalog });
    expect(zerosIn(maskOf(again[0] as nn.Linear, 'weight'))).toBe(0);
    again.loadStateDict(model.stateDict());
    expectSame(again);
    const copy = clone(model);
    prune(model[0] as nn.Linear, { fraction: 1 });
    expectSame(copy);
    fold(copy);
    expectSame(copy);
    for (const one of [model, loaded, folded, again, copy]) one.dispose();
  });

  it('is removed with its value, or with its originals, one step or all', () => {
    const layer = new nn.Linear(4, 2);
    const variable = layer.weight as tf.Variable;
    const before = weightOf(layer);
    prune(layer, { fraction: 0.5 });
    removeParametrization(layer, 'weight', 'prune', { keep: 'originals' });
    expect(weightOf(layer)).toEqual(before);
    weightNorm(layer);
    prune(layer, { fraction: 0.5 });
    const value = weightOf(layer);
    removeParametrization(layer, 'weight', -1);
    expect(weightOf(layer)).toBeAllClose(value);
    prune(layer, { fraction: 0.5 });
    removeParametrizations(layer, 'weight');
    expect(layer.weight).toBe(variable);
    expect(zerosIn(weightOf(layer))).toBe(4);
    expect(() => removeParametrizations(layer, 'weight')).toThrow(
      expect.objectContaining({ code: 'NOT_PARAMETRIZED' }),
    );
    layer.dispose();
  });

  it.each(Object.entries(optimizers))(
    'keeps its zeros under %s, and the originals of its zeros',
    (_, make) => {
      nn.manualSeed(3);
      const layer = new nn.Linear(10, 6);
      const optimizer = make();
      const x = tf.randomNormal([8, 10], 0, 1, 'float32', 1);
      const step = (): void => {
        optimizer.minimize(() => tf.mean(tf.square(tf.sub(layer.call(x), 1))), false, layer.parameters());
      };
      step();
      prune(layer, { fraction: 0.9 });
      const mask = maskOf(layer, 'weight');
      for (let i = 0; i < 5; i++) step();
      const value = weightOf(layer);
      expect(zerosIn(value)).toBe(54);
      expect(value.map((v) => (v === 0 ? 0 : 1))).toEqual(mask);
      x.dispose();
      disposeOptimizer(optimizer);
      layer.dispose();
    },
  );
});

describe('a pruned model of tf.layers', () => {
  const make = (): tf.Sequential =>
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 8, activation: 'tanh', inputShape: [16] }),
        tf.layers.dense({ units: 5, activation: 'tanh' }),
        tf.layers.dense({ units: 1 }),
      ],
    });

  it.each(['sgd', 'momentum', 'adam'])(
    'keeps nine tenths of zeros through fit with %s, a file and a fold',
    async (name) => {
      nn.manualSeed(4);
      const model = make();
      const [first, dense] = model.layers as [tf.layers.Layer, tf.layers.Layer];
      prune(first, { fraction: 0.9 });
      prune(dense, 'kernel', { sparsity: 0.9 });
      model.compile({ optimizer: optimizers[name]!(), loss: 'meanSquaredError' });
      const [x, y] = [tf.randomNormal([8, 16], 0, 1, 'float32', 5), tf.ones([8, 1])];
      const kernels = (of: tf.LayersModel): number[][] =>
        [0, 1].map((i) => inTidy(() => flatten(valueOf(of.layers[i]!, 'kernel'))));
      const before = kernels(model);
      await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0 });
      const after = kernels(model);
      expect(after).not.toEqual(before);
      expect(after.map(zerosIn)).toEqual([115, 36]);
      prune(dense, { fraction: 0.5 });
      const values = kernels(model);
      expect(zerosIn(values[1]!)).toBe(38);
      await model.fit(x, y, { epochs: 1, verbose: 0 });
      expect(kernels(model).map(zerosIn)).toEqual([115, 38]);
      const loaded = make();
      const file = await fileOf(model);
      // The file has torch's names and layout.
      const { tensors } = readSafetensors(file);
      expect(tensors[`${dense.name}.parametrizations.weight.0.mask`]!.shape).toEqual([5, 8]);
      tf.dispose(tensors);
      await loadCheckpoint(loaded, file, { catalog });
      expect(kernels(loaded)).toEqual(kernels(model));
      fold(model);
      expect(kernels(model).map(zerosIn)).toEqual([115, 38]);
      disposeOptimizer(model.optimizer);
      tf.dispose([x, y]);
      for (const one of [model, loaded]) one.dispose();
    },
  );

  it('has N:M along the inputs, in embeddings and recurrent kernels too', () => {
    const model = tf.sequential({
      layers: [
        tf.layers.embedding({ inputDim: 8, outputDim: 4, inputLength: 3 }),
        tf.layers.lstm({ units: 4 }),
        tf.layers.dense({ units: 3 }),
      ],
    });
    const [embedding, lstm, dense] = model.layers as [tf.layers.Layer, tf.layers.Layer, tf.layers.Layer];
    prune(dense, { nOfM: [1, 4] });
    // A column of [in, out] is a group.
    for (let unit = 0; unit < 3; unit++) {
      const column = maskOf(dense, 'kernel').filter((_, i) => i % 3 === unit);
      expect(column.reduce((sum, one) => sum + one)).toBe(1);
    }
    prune(lstm, 'cell.recurrentKernel', { fraction: 0.5 });
    prune(embedding, { fraction: 0.5, dim: 0 });
    expect(zerosIn(maskOf(lstm, 'cell.recurrentKernel'))).toBe(32);
    expect(zerosIn(maskOf(embedding, 'embeddings'))).toBe(16);
    const x = tf.ones([2, 3]);
    const y = model.predict(x) as tf.Tensor;
    expect(y.shape).toEqual([2, 3]);
    syncModel(model);
    tf.dispose([x, y]);
    model.dispose();
  });
});
