import * as tf from '@tensorflow/tfjs';
import { catalog, recipeOf, tie, unitNorm, valueOf, weightNorm } from 'tfjs-parametrize';
import { loadCheckpoint, type SaveCheckpointOptions, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { folded, loadParametrizedModel, saveParametrizedModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { disposeModel } from '../layerCases.ts';

type Format = SaveCheckpointOptions['keyFormat'];
type Save = (handler: tf.io.IOHandler) => Promise<unknown>;

/** An Embedding and a Dense, whose kernel is the transpose of the embeddings; in torch, they are one tensor. */
function language(isTied = true): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.embedding({ inputDim: 5, outputDim: 3, inputLength: 2, name: 'embedding' }),
      tf.layers.dense({ units: 5, name: 'decoder' }),
    ],
  });
  if (isTied) {
    const source = model.getLayer('embedding');
    tie(model.getLayer('decoder'), 'kernel', source, 'embeddings', { transpose: true });
  }
  return model;
}

/** An autoencoder whose second kernel is the transpose of the first, also in torch. */
function autoencoder(isTied = true): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 2, inputShape: [3], name: 'encoder' }),
      tf.layers.dense({ units: 3, name: 'decoder' }),
    ],
  });
  if (isTied)
    tie(model.getLayer('decoder'), 'kernel', model.getLayer('encoder'), 'kernel', { transpose: true });
  return model;
}

/** Two layers with one kernel. */
function twins(isTied = true): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 3, inputShape: [3], name: 'encoder' }),
      tf.layers.dense({ units: 3, name: 'decoder' }),
    ],
  });
  if (isTied) tie(model.getLayer('decoder'), 'kernel', model.getLayer('encoder'));
  return model;
}

async function stored(save: Save): Promise<tf.io.IOHandler> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await save({
    save: async (given: tf.io.ModelArtifacts) => {
      artifacts = given;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  return { load: async () => artifacts! };
}

const nameOfSource = (layer: tf.layers.Layer): string =>
  layer.name === 'embedding' ? 'embeddings' : 'kernel';

function expectSame(a: tf.LayersModel, b: tf.LayersModel): void {
  for (const layer of a.layers) {
    const name = nameOfSource(layer);
    tf.tidy(() => {
      expect(valueOf(layer, name)).toBeAllClose(valueOf(b.getLayer(layer.name), name), { absolute: 1e-6 });
    });
  }
}

const models = { language, autoencoder, twins };
const maps = { plain: () => 0, weightNorm, unitNorm } as const;
const formats: Format[] = [undefined, 'modern', 'legacy', 'folded'];
const all = Object.keys(models).flatMap((model) =>
  Object.keys(maps).map((map) => [model as keyof typeof models, map as keyof typeof maps] as const),
);
const cases = all.flatMap(([model, map]) => formats.map((format) => [model, map, format] as const));

function made(name: keyof typeof models, map: keyof typeof maps): tf.Sequential {
  const model = models[name]();
  const source = model.layers[0]!;
  const register = maps[map] as (layer: object, name: string) => unknown;
  register(source, nameOfSource(source));
  return model;
}

describe('a model of tf.layers with a tied weight', () => {
  it.each(cases)('loads from a checkpoint: %s, %s, %s', async (name, map, keyFormat) => {
    const [model, again, plain] = [made(name, map), made(name, map), models[name](false)];
    const file = await stored((handler) =>
      saveCheckpoint(model, handler, keyFormat === undefined ? {} : { keyFormat }),
    );
    await loadCheckpoint(again, file);
    expectSame(again, model);
    expect(recipeOf(again)).toEqual(recipeOf(model));
    await loadCheckpoint(plain, file, { catalog });
    expectSame(plain, model);
    if (keyFormat !== 'folded') expect(recipeOf(plain)).toEqual(recipeOf(model));
    for (const one of [model, again, plain]) disposeModel(one);
  });

  it.each(all)(
    'loads from the artifacts of a parametrized model, and as a plain one: %s, %s',
    async (name, map) => {
      const model = made(name, map);
      model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
      const file = await stored((handler) => saveParametrizedModel(model, handler));
      const again = (await loadParametrizedModel(file, { catalog })) as tf.LayersModel;
      expectSame(again, model);
      expect(recipeOf(again)).toEqual(recipeOf(model));
      const plain = await tf.loadLayersModel(file);
      expectSame(plain, model);
      for (const one of [model, again, plain]) disposeModel(one);
    },
  );

  it.each(all)('saves and loads plain weights in folded: %s, %s', async (name, map) => {
    const [model, again] = [made(name, map), made(name, map)];
    const file = await stored((handler) => folded(model, () => model.save(handler)));
    const plain = await tf.loadLayersModel(file);
    expectSame(plain, model);
    const weights = plain.getWeights();
    folded(again, () => again.setWeights(weights));
    expectSame(again, model);
    for (const one of [model, again, plain]) disposeModel(one);
  });
});
