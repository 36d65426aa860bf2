import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {
  applyRecipe,
  catalog,
  copyInto,
  describe as describeModel,
  evaluate,
  fakeQuantize,
  fold,
  freeze,
  groupOptimizer,
  initialize,
  initializeFromBatch,
  insertParametrization,
  type Lora,
  lora,
  nn,
  orthogonal,
  parametrizationsOn,
  parametrize,
  type Rule,
  recipeOf,
  registerParametrization,
  removeParametrization,
  reorderParametrizations,
  SpectralNorm,
  spectralNorm,
  squaredNorms,
  tie,
  unitNorm,
  valueOf,
  weightNorm,
  without,
} from 'tfjs-parametrize';
import {
  cubicSparsity,
  mergeAdapters,
  pruneGlobally,
  saveAdapter,
  saveQuantized,
  setAdapters,
} from 'tfjs-parametrize/finetune';
import { syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { shifted } from './faults/models.ts';

/** Frees a model of tf.layers and its optimizer. */
function disposeLayers(model: tf.LayersModel): void {
  model.optimizer?.dispose();
  model.dispose();
}

const chain = (...layers: tf.layers.Layer[]): tf.Sequential => tf.sequential({ layers });

describe('uses of the verbs on whole models', () => {
  it('normalize a vocoder: all convolutions but the first, transposed ones by output channel', () => {
    class Generator extends nn.Module {
      conv_pre = new nn.Conv1d(2, 4, 3);
      up = new nn.ConvTranspose1d(4, 3, 2);
      shortcut = new nn.Conv1d(3, 3, 1);
      post = new nn.Conv1d(3, 1, 3);
      forward(x: tf.Tensor): tf.Tensor {
        return this.post.call(this.up.call(this.conv_pre.call(x)));
      }
    }
    const generator = new Generator();
    const report = parametrize(generator, [
      { match: 'conv_pre', apply: null },
      { type: nn.ConvTranspose1d, apply: weightNorm, options: { dim: 1 } },
      { type: [nn.Conv1d], exclude: ['shortcut', /\.debug$/], apply: weightNorm },
    ]);
    expect(report.registered.map(({ path }) => path)).toEqual(['up', 'post']);
    expect(report.untouched.map(({ path }) => path)).toEqual(['shortcut']);
    expect(parametrizationsOn(generator.up, 'weight').original0!.shape).toEqual([1, 3, 1]);
    generator.dispose();
  });

  it('choose by predicate and shape, with options for each tensor', () => {
    const model = new nn.Sequential(new nn.Linear(3, 3), new nn.GRU(3, 3), new nn.Linear(3, 1));
    const report = parametrize(model, [
      {
        match: (_host, path) => !path.startsWith('2'),
        type: [nn.Conv2d, nn.Linear],
        apply: spectralNorm,
        options: { nPowerIterations: 2 },
        optional: true,
      },
      {
        type: nn.GRU,
        name: ['weight_hh_l0', 'weight_ih_l0'],
        apply: orthogonal,
        options: ({ tensor }) => (tensor.includes('hh') ? { orthogonalMap: 'cayley' } : null),
      },
    ] as const);
    expect(report.registered.map(({ path, tensor }) => `${path}.${tensor}`)).toEqual([
      '0.weight',
      '1.weight_hh_l0',
    ]);
    expect(report.skipped.map(({ tensor }) => tensor)).toEqual(['weight_ih_l0']);
    model.dispose();
  });

  it('make constraints of tf.layers hold in fit, also on cells inside of wrappers', async () => {
    const model = chain(
      tf.layers.bidirectional({
        layer: tf.layers.lstm({ units: 2 }) as tf.RNN,
        inputShape: [3, 2],
        name: 'both',
      } as never),
      tf.layers.dense({ units: 2, name: 'dense_1' }),
      tf.layers.dense({ units: 1, name: 'dense_out' }),
    );
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'meanSquaredError' });
    parametrize(model, [
      { match: 'dense_*', exclude: 'dense_out', type: 'Dense', name: 'kernel', apply: unitNorm },
      { match: '**.cell', name: 'recurrentKernel', apply: weightNorm, options: { dim: null } },
    ]);
    syncModel(model);
    const [x, y] = [tf.ones([4, 3, 2]), tf.ones([4, 1])];
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    tf.tidy(() => {
      const kernel = valueOf(model.getLayer('dense_1'), 'kernel');
      expect(tf.norm(kernel, 'euclidean', 0)).toBeAllClose([1, 1]);
    });
    tf.dispose([x, y]);
    disposeLayers(model);
  });

  it('plan first, then do what the plan says, once', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2), new nn.Linear(2, 2));
    const rules = [{ match: '{0..1}', apply: shifted, options: { scale: 4 } }];
    const plan = parametrize(model, rules, { dryRun: true });
    expect(plan.registered).toHaveLength(2);
    const options = { catalog: { ...catalog, shifted } };
    expect(applyRecipe(model, plan.recipe, options).registered).toHaveLength(2);
    expect(applyRecipe(model, plan.recipe, options).registered).toEqual([]);
    model.dispose();
  });

  it('write recipes as text, and apply them and rules that are data', () => {
    const myMap = (host: nn.Linear, name: 'weight'): nn.Linear => registerParametrization(host, name, tf.abs);
    const [model, other] = [0, 1].map(() => new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 2)));
    parametrize(model!, [
      { match: '0', apply: weightNorm },
      { match: '1', apply: myMap },
    ]);
    const text = JSON.stringify(recipeOf(model!));
    applyRecipe(other!, text, { catalog: { ...catalog, myMap } });
    expect(recipeOf(other!)).toEqual(recipeOf(model!));
    fold(other!);
    const rules = JSON.parse('[{"match":"**","type":"Linear","apply":"weightNorm"}]') as Rule[];
    expect(parametrize(other!, rules, { catalog, dryRun: true }).registered).toHaveLength(2);
    model!.dispose();
    other!.dispose();
  });

  it('adapt a frozen model of tf.layers, save the adapter alone, switch, and merge', async () => {
    const model = chain(
      tf.layers.dense({ units: 3, inputShape: [2], activation: 'relu', name: 'one' }),
      tf.layers.dense({ units: 2, activation: 'softmax', name: 'two' }),
    );
    const numbers = (): number[][] => model.getWeights().map((weight) => [...weight.dataSync()]);
    const base = numbers();
    freeze(model);
    for (const adapter of ['letters', 'digits']) {
      parametrize(model, [{ type: 'Dense', apply: lora, options: { rank: 1, alpha: 2, adapter } }]);
    }
    setAdapters(model, 'digits');
    model.compile({ optimizer: tf.train.adam(0.1), loss: 'categoricalCrossentropy' });
    const [x, y] = tf.tidy(() => [
      tf.randomNormal([8, 2], 0, 1, 'float32', 5),
      tf.oneHot([0, 1, 1, 0, 0, 1, 1, 0], 2),
    ]);
    await model.fit(x!, y!, { epochs: 2, verbose: 0 });
    const at = mkdtempSync(join(tmpdir(), 'digits-'));
    await saveAdapter(model, join(at, 'digits.safetensors'), { adapter: 'digits' });
    const predict = (): tf.Tensor => model.predict(x!) as tf.Tensor;
    const trained = predict();
    setAdapters(model, { digits: 0.7, letters: 0.3 });
    const mixed = predict();
    expect(mixed).not.toBeAllClose(trained, { relative: 0, absolute: 1e-6 });
    setAdapters(model, null);
    const plain = predict();
    expect(plain).not.toBeAllClose(trained, { relative: 0, absolute: 1e-6 });
    setAdapters(model, 'digits');
    const handle = await mergeAdapters(model, { adapters: ['digits'], check: true });
    const merged = predict();
    handle.dispose();
    expect(merged).toBeAllClose(trained, { relative: 0, absolute: 1e-6 });
    expect(numbers()).not.toEqual(base);
    tf.dispose([x!, y!, trained, mixed, plain, merged]);
    disposeLayers(model);
    rmSync(at, { recursive: true });
  });

  it('prune along a schedule, train with quantized weights, and save what plain tfjs loads', async () => {
    const model = chain(
      tf.layers.dense({ units: 16, inputShape: [8], activation: 'relu', name: 'one' }),
      tf.layers.dense({ units: 1, name: 'two' }),
    );
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    const sparsity = cubicSparsity({ final: 0.9, begin: 100, end: 1000 });
    const pruned = pruneGlobally(model, { type: 'Dense', fraction: sparsity(700) });
    expect(pruned.registered.map(({ path }) => path)).toEqual(['one', 'two']);
    const options = { bits: 8, dim: null, learned: true } as const;
    parametrize(model, [{ type: 'Dense', apply: fakeQuantize, options }]);
    syncModel(model);
    const [x, y] = [tf.randomNormal([16, 8], 0, 1, 'float32', 5), tf.ones([16, 1])];
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    let saved: tf.io.ModelArtifacts | undefined;
    const memory = tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    });
    const report = await saveQuantized(model, memory);
    expect(report.tensors.map(({ dtype }) => dtype)).toEqual(['uint8', 'float32', 'uint8', 'float32']);
    expect(report.bytes).toBeLessThan(report.bytesBefore / 2);
    const plain = await tf.loadLayersModel(tf.io.fromMemory(saved!));
    const outputs = [model, plain].map((one) => one.predict(x) as tf.Tensor);
    expect(outputs[1]!).toBeAllClose(outputs[0]!, { relative: 0, absolute: 0 });
    tf.dispose([x, y, outputs]);
    disposeLayers(model);
    plain.dispose();
  });

  it('edit one step of a chain, and look past it', () => {
    const hidden = spectralNorm(new nn.Linear(4, 4)).eval();
    insertParametrization(hidden, 'weight', tf.tanh, { after: 0 });
    reorderParametrizations(hidden, 'weight', [1, 'spectralNorm'], { keep: 'originals' });
    removeParametrization(hidden, 'weight', SpectralNorm, { keep: 'originals' });
    removeParametrization(hidden, 'weight', 0, { keep: 'value' });
    const x = tf.ones([1, 4]);
    const before = hidden.call(x);
    lora(hidden, 'weight', { rank: 2 });
    const B = (parametrizationsOn(hidden, 'weight')[0] as Lora).lora_B.get('default') as tf.Variable;
    tf.tidy(() => B.assign(tf.ones(B.shape)));
    tf.tidy(() => {
      expect(hidden.call(x)).not.toBeAllClose(before);
      expect(without(hidden, { step: 'lora' }, () => hidden.call(x))).toBeAllClose(before);
    });
    tf.dispose([x, before]);
    hidden.dispose();
  });

  it('train groups of parameters, in fit and by hand, with a penalty on effective weights', async () => {
    const layers = chain(
      tf.layers.dense({ units: 3, inputShape: [2], name: 'backbone' }),
      tf.layers.dense({ units: 1, name: 'head' }),
    );
    weightNorm(layers.getLayer('head'));
    const parts = [
      tf.train.adam(1e-4),
      tf.train.adam(1e-3),
      tf.train.sgd(1e-2),
      tf.train.adam(1e-3),
    ] as const;
    const optimizer = groupOptimizer(layers, [
      { match: 'backbone', optimizer: parts[0] },
      { name: 'kernel', original: 'g', optimizer: parts[1], weightDecay: 1e-2 },
      { name: 'bias', optimizer: parts[2] },
      { optimizer: parts[3] },
    ]);
    layers.compile({ optimizer, loss: 'meanSquaredError' });
    expect(optimizer.groups.map(({ keys }) => keys.length)).toEqual([2, 1, 1, 1]);
    const [x, y] = [tf.ones([4, 2]), tf.ones([4, 1])];
    await layers.fit(x, y, { epochs: 1, verbose: 0 });
    const model = new nn.Sequential(new nn.Linear(2, 3), weightNorm(new nn.Linear(3, 1)));
    const two = groupOptimizer(model, [
      { match: ['0', '1.weight'], optimizer: tf.train.sgd(0.1) },
      { optimizer: tf.train.adam() },
    ]);
    const loss = (): tf.Scalar =>
      tf.add(tf.losses.meanSquaredError(y, model.call(x)), tf.mul(1e-4, squaredNorms(model)));
    const costs = Array.from({ length: 5 }, () => tf.tidy(() => two.minimize(loss, true)!.dataSync()[0]!));
    expect(costs[4]).toBeLessThan(costs[0]!);
    two.dispose();
    tf.dispose([x, y]);
    model.dispose();
    disposeLayers(layers);
  });

  it('initialize from data, average, tie, and call with other values', async () => {
    const net = new nn.Sequential(
      weightNorm(new nn.Linear(4, 6, { bias: false })),
      new nn.MeanOnlyBatchNorm1d(6),
      new nn.ReLU(),
      weightNorm(new nn.Linear(6, 2)),
    );
    const x = tf.randomNormal([16, 4], 0, 1, 'float32', 5);
    const initialized = await initializeFromBatch(net, x, { scale: 1 });
    expect(initialized.map(({ path }) => path)).toEqual(['0', '3']);
    expect(initialized[1]!.std).toBeCloseTo(1, 3);
    const average = net.clone();
    copyInto(average, net, { decay: 0.999 });
    const [embedding, decoder] = [new nn.Embedding(5, 3), new nn.Linear(3, 5, { bias: false })];
    tie(decoder, 'weight', embedding);
    initialize(decoder, 'weight', (shape) => tf.ones(shape));
    expect(embedding.weight).toBeAllClose(Array.from({ length: 15 }, () => 1));
    net.eval();
    const zeros = tf.zeros([6, 4]);
    tf.tidy(() => {
      const guess = evaluate(net, { '0.weight': zeros }, () => net.call(x));
      const rows = guess.arraySync() as number[][];
      expect(rows.every((row) => row.every((number, i) => Math.abs(number - rows[0]![i]!) < 1e-6))).toBe(
        true,
      );
    });
    expect(String(describeModel(net))).toContain('WeightNorm(dim=0)');
    expect(fold(average)).toEqual(['0.weight', '3.weight']);
    tf.dispose([x, zeros]);
    for (const one of [net, average, decoder, embedding]) one.dispose();
  });
});
