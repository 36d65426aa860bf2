import * as tf from '@tensorflow/tfjs';
import { catalog, parametrize, recipeOf, tie, weightNorm } from 'tfjs-parametrize';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import { disposeModel } from '../../layers/layerCases.ts';
import { memoryHandler } from '../layerNetworks.ts';

const fitted = { epochs: 2, verbose: 0, shuffle: false } as const;

/** A compiled model, whose layers get other generated names each time; the first two have equal shapes. */
function generated(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 3, inputShape: [3], activation: 'tanh' }),
      tf.layers.dense({ units: 3, activation: 'tanh' }),
      tf.layers.dense({ units: 2 }),
    ],
  });
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
  return model;
}

const names = (model: tf.LayersModel): string[] => model.layers.map(({ name }) => name);
const weights = (model: tf.LayersModel): number[][] =>
  model.getWeights().map((weight) => [...weight.dataSync()]);

describe('a model of tf.layers with other generated names than the saved one', () => {
  it.each([false, true])('goes on with the state of its optimizer, parametrized: %s', async (isNormed) => {
    const [model, other] = [generated(), generated()];
    expect(names(other).filter((name) => names(model).includes(name))).toEqual([]);
    if (isNormed) parametrize(model, [{ type: 'Dense', apply: weightNorm }]);
    const [x, y] = [
      tf.tensor2d([
        [1, 2, 3],
        [0, -1, 2],
      ]),
      tf.tensor2d([
        [1, 0],
        [0, 1],
      ]),
    ];
    await model.fit(x, y, fitted);
    const saved = memoryHandler();
    await saveCheckpoint(model, saved, { optimizer: model.optimizer });
    const report = await loadCheckpoint(other, saved, { catalog, optimizer: other.optimizer });
    expect(report.optimizer!.missing).toEqual([]);
    expect(new Set(report.optimizer!.restored.map((path) => path.split('.')[0]))).toEqual(
      new Set(names(other)),
    );
    for (const one of [model, other]) await one.fit(x, y, fitted);
    expect(weights(other)).toEqual(weights(model));
    tf.dispose([x, y]);
    for (const one of [model, other]) disposeModel(one);
  });
});

/** An embedding and a dense layer of these names, or of generated ones. */
function language(isTied: boolean, embedding?: string, decoder?: string): tf.LayersModel {
  const input = tf.input({ shape: [3], dtype: 'int32' });
  const embed = tf.layers.embedding({ inputDim: 5, outputDim: 4, ...(embedding && { name: embedding }) });
  const dense = tf.layers.dense({ units: 5, useBias: false, ...(decoder && { name: decoder }) });
  const x = tf.layers.globalAveragePooling1d({}).apply(embed.apply(input)) as tf.SymbolicTensor;
  const model = tf.model({ inputs: input, outputs: dense.apply(x) as tf.SymbolicTensor });
  if (isTied) tie(dense, 'kernel', embed, 'embeddings', { transpose: true });
  return model;
}

describe('a tie between layers', () => {
  it.each<[string, string[], string[], boolean, object]>([
    ['a renamed model, untied', ['emb', 'out'], ['e', 'o'], false, { rename: { emb: 'e', out: 'o' } }],
    ['a renamed model, tied', ['emb', 'out'], ['e', 'o'], true, { rename: { emb: 'e', out: 'o' } }],
    ['a tied model of other names', ['emb', 'out'], ['e', 'o'], true, {}],
    ['a tied model of generated names', [], [], true, {}],
    ['a part of the file, untied', ['net.emb', 'net.out'], ['emb', 'out'], false, { prefix: 'net' }],
    ['a part of the file, tied', ['net.emb', 'net.out'], ['emb', 'out'], true, {}],
  ])('is followed by %s', async (_, before, after, isTied, options) => {
    const model = language(true, ...before);
    const saved = memoryHandler();
    await saveCheckpoint(model, saved);
    const other = language(isTied, ...after);
    await loadCheckpoint(other, saved, { ...options, catalog });
    const [embed, dense] = [other.layers[1]!, other.layers[3]!];
    expect(recipeOf(other).parametrizations).toEqual([
      {
        path: dense.name,
        tensor: 'kernel',
        steps: [],
        tiedTo: { path: embed.name, tensor: 'embeddings', transpose: true },
      },
    ]);
    expect(weights(other)).toEqual(weights(model));
    for (const one of [model, other]) one.dispose();
  });

  it('is refused where neither names nor shapes tell which layer is which', async () => {
    const [model, other] = [language(true), language(false)];
    const saved = memoryHandler();
    await saveCheckpoint(model, saved);
    await expect(loadCheckpoint(other, saved, { catalog })).rejects.toMatchObject({
      code: 'AMBIGUOUS',
      rename: expect.any(Object),
    });
    for (const one of [model, other]) one.dispose();
  });
});
