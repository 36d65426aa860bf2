import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {
  isParametrized,
  orthogonal,
  parametrizationsOn,
  registerParametrization,
  spectralNorm,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import { folded, syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { flatten } from '../toBeAllClose.ts';
import { at, dataOf, disposeModel, layerCases, layerOf, modelOf, setNumbers } from './layerCases.ts';

/** Saves a model in memory. */
async function saved(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (given) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  return artifacts!;
}

/** The weights of artifacts, for `loadWeights`. */
const weightsOf = ({ weightData, weightSpecs }: tf.io.ModelArtifacts): tf.NamedTensorMap =>
  tf.io.decodeWeights(weightData as ArrayBuffer, weightSpecs!);

/** A model of the same topology with other numbers. */
const modelFrom = async ({ modelTopology, format }: tf.io.ModelArtifacts): Promise<tf.LayersModel> =>
  tf.loadLayersModel(tf.io.fromMemory({ modelTopology: modelTopology!, format: format! }));

describe.each(Object.entries(layerCases))('%s', (_, layerCase) => {
  const isWrong = layerCase.isWrongOnWasm === true && process.env['TFJS_BACKEND'] === 'wasm';
  const close = { absolute: 1e-6 };

  it('is saved, resumed, folded and loaded from plain weights', async () => {
    const model = modelOf(layerCase);
    const { x, y } = dataOf(layerCase);
    const registerOn = (target: tf.LayersModel): void => {
      for (const path of layerCase.kernels) {
        const { host, name } = at(layerOf(target as tf.Sequential), path);
        weightNorm(host, name as never);
      }
    };
    const plainArtifacts = await saved(model);
    registerOn(model);
    // Not the originals that registration makes.
    for (const path of layerCase.kernels) {
      const { host, name } = at(layerOf(model), path);
      const { g, v } = parametrizationsOn(host, name);
      tf.tidy(() => {
        g!.assign(tf.mul(g!, 1.5));
        v!.assign(tf.mul(v!, 3));
      });
    }
    const before = model.predict(x) as tf.Tensor;

    // Resume: topology, registration, originals.
    const artifacts = await saved(model);
    const resumed = await modelFrom(artifacts);
    registerOn(resumed);
    const weights = weightsOf(artifacts);
    resumed.loadWeights(weights);
    const fromOriginals = resumed.predict(x) as tf.Tensor;

    // Plain artifacts, which any tfjs loads.
    const foldedArtifacts = await folded(model, () => saved(model));
    expect(foldedArtifacts.weightSpecs!.map(({ name }) => name)).toEqual(
      plainArtifacts.weightSpecs!.map(({ name }) => name),
    );
    const plain = await tf.loadLayersModel(tf.io.fromMemory(foldedArtifacts));
    const fromPlain = plain.predict(x) as tf.Tensor;

    // Plain weights into a registered model.
    const plainWeights = weightsOf(foldedArtifacts);
    const other = await modelFrom(plainArtifacts);
    registerOn(other);
    folded(other, () => other.loadWeights(plainWeights));
    const intoRegistered = other.predict(x) as tf.Tensor;

    if (!isWrong) {
      expect(fromOriginals).toBeAllClose(before, close);
      expect(fromPlain).toBeAllClose(before, close);
      expect(intoRegistered).toBeAllClose(before, close);
    }
    expect(model.weights.length).toBe(other.weights.length);
    // Without registration, the originals are refused, never silently left out.
    const unregistered = await modelFrom(artifacts);
    expect(() => unregistered.loadWeights(weights)).toThrow('no target variable');
    for (const made of [model, resumed, plain, other, unregistered]) made.dispose();
    tf.dispose([x, y, before, fromOriginals, fromPlain, intoRegistered]);
    tf.dispose([...Object.values(weights), ...Object.values(plainWeights)]);
  });
});

describe('saving', () => {
  const makeModel = (): tf.Sequential => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 3, inputShape: [4] }), tf.layers.dense({ units: 3 })],
    });
    setNumbers(model, 4);
    return model;
  };

  it('keeps the state of parametrizations: the vectors of spectralNorm, the base of orthogonal', async () => {
    const model = makeModel();
    const register = (target: tf.LayersModel): void => {
      spectralNorm(target.layers[0]!);
      orthogonal(target.layers[1]!);
    };
    register(model);
    const x = tf.randomNormal([5, 4], 0, 1, 'float32', 1);
    const y = tf.randomNormal([5, 3], 0, 1, 'float32', 2);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.fit(x, y, { epochs: 3, verbose: 0 });
    const before = model.predict(x) as tf.Tensor;
    const artifacts = await saved(model);
    expect(artifacts.weightSpecs!.map(({ name }) => name.replace(/^[^/]*\//, ''))).toEqual([
      'kernel/original',
      'bias',
      'kernel/original',
      'bias',
      'kernel/0._u',
      'kernel/0._v',
      'kernel/0.base',
    ]);
    const resumed = await modelFrom(artifacts);
    register(resumed);
    const weights = weightsOf(artifacts);
    resumed.loadWeights(weights);
    const after = resumed.predict(x) as tf.Tensor;
    expect(after).toBeAllClose(before, { absolute: 1e-6 });
    // And training goes on alike.
    resumed.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    for (const each of [model, resumed]) await each.fit(x, y, { epochs: 2, verbose: 0, shuffle: false });
    expect(valueOf(resumed.layers[0]!, 'kernel')).toBeAllClose(valueOf(model.layers[0]!, 'kernel'), {
      absolute: 1e-6,
    });
    disposeModel(model);
    disposeModel(resumed);
    tf.dispose([x, y, before, after, ...Object.values(weights)]);
  });

  it('goes through a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tf-layers-'));
    const file = join(folder, 'model.json');
    const model = makeModel();
    weightNorm(model.layers[0]!);
    const handler = {
      save: async ({ weightData, ...rest }: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
        writeFileSync(file, JSON.stringify(rest));
        writeFileSync(`${file}.bin`, Buffer.from(weightData as ArrayBuffer));
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      },
      load: async (): Promise<tf.io.ModelArtifacts> => ({
        ...(JSON.parse(readFileSync(file, 'utf8')) as tf.io.ModelArtifacts),
        weightData: Uint8Array.from(readFileSync(`${file}.bin`)).buffer,
      }),
    };
    await folded(model, () => model.save(handler));
    const plain = await tf.loadLayersModel(handler);
    expect(plain.layers[0]!.getWeights()[0]!).toBeAllClose(valueOf(model.layers[0]!, 'kernel'));
    model.dispose();
    plain.dispose();
    rmSync(folder, { recursive: true });
  });

  it('leaves the state of the optimizer to be saved, under the names of the variables', async () => {
    const model = makeModel();
    weightNorm(model.layers[0]!);
    const x = tf.ones([2, 4]);
    const y = tf.ones([2, 3]);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await model.fit(x, y, { verbose: 0 });
    const states = await model.optimizer.getWeights();
    // The step count, and two moments for g, v, and the three weights that are plain.
    expect(states.length).toBe(1 + 2 * 5);
    expect(states.filter(({ name }) => name.includes('original')).length).toBe(2);
    states[0]!.tensor.dispose();
    disposeModel(model);
    tf.dispose([x, y]);
  });
});

describe('folded', () => {
  const makeModel = (): tf.Sequential => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [4] })] });
    weightNorm(model.layers[0]!);
    return model;
  };
  const names = (model: tf.LayersModel): string[] =>
    model.weights.map(({ originalName }) => originalName.replace(/^[^/]*\//, ''));

  it('ends with what the function returns, throws, resolves or rejects, also nested', async () => {
    const model = makeModel();
    const parametrized = names(model);
    expect(folded(model, () => names(model))).toEqual(['kernel', 'bias']);
    expect(names(model)).toEqual(parametrized);
    expect(() =>
      folded(model, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(names(model)).toEqual(parametrized);
    const done = folded(model, async () => {
      await Promise.resolve();
      folded(model, () => {});
      return names(model);
    });
    expect(names(model)).toEqual(['kernel', 'bias']);
    expect(await done).toEqual(['kernel', 'bias']);
    await expect(folded(model, () => Promise.reject(new Error('late')))).rejects.toThrow('late');
    expect(names(model)).toEqual(parametrized);
    expect(isParametrized(model.layers[0]!)).toBe(true);
    model.dispose();
  });

  it('leaves training as it was, and no tensor of a map that is not pure', async () => {
    const model = makeModel();
    registerParametrization(model.layers[0] as tf.layers.Layer, 'bias', {
      forward: (value) => tf.mul(value, 1),
      rightInverse: (value) => value,
    });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    valueOf(model.layers[0]!, 'kernel');
    const { numTensors } = tf.memory();
    await folded(model, () => saved(model));
    expect(tf.memory().numTensors).toBe(numTensors);
    const x = tf.ones([2, 4]);
    const y = tf.ones([2, 3]);
    syncModel(model);
    await model.fit(x, y, { verbose: 0 });
    disposeModel(model);
    tf.dispose([x, y]);
  });

  it('refuses what is no model', () => {
    expect(() => folded({} as never, () => {})).toThrow('folded: expected a model of tf.layers, got Object');
  });

  it('loads plain numbers bit for bit where the map keeps them', () => {
    const model = makeModel();
    const kernel = tf.randomNormal([4, 3], 0, 1, 'float32', 9);
    const bias = tf.zeros([3]);
    folded(model, () => model.setWeights([kernel, bias]));
    expect(flatten(parametrizationsOn(model.layers[0]!, 'kernel').v!)).toEqual(flatten(kernel));
    model.dispose();
    tf.dispose([kernel, bias]);
  });
});
