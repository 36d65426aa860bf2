import * as tf from '@tensorflow/tfjs';
import {
  catalog,
  clipGradients,
  freeze,
  groupOptimizer,
  isParametrized,
  orthogonal,
  recipeOf,
  spectralNorm,
  weightNorm,
} from 'tfjs-parametrize';
import {
  loadParametrizedModel,
  MeanOnlyBatchNormalization,
  saveParametrizedModel,
} from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { disposeOptimizer, optimizers } from '../../parametrize/laws/specimens.ts';

/** Keeps artifacts. */
class Memory implements tf.io.IOHandler {
  artifacts!: tf.io.ModelArtifacts;
  save = async (artifacts: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
    this.artifacts = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  };
  load = async (): Promise<tf.io.ModelArtifacts> => this.artifacts;
}

/** A model with three parametrized kernels and a plain layer. */
function network(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 4, inputShape: [4], activation: 'tanh', name: 'normed' }),
      tf.layers.dense({ units: 4, activation: 'tanh', name: 'spectral' }),
      tf.layers.dense({ units: 4, name: 'orthogonal' }),
      tf.layers.dense({ units: 2 }),
    ],
  });
  weightNorm(model.layers[0]!);
  spectralNorm(model.layers[1]!);
  orthogonal(model.layers[2]!);
  return model;
}

const x = (): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    [6, 4],
  );
const y = (): tf.Tensor2D =>
  tf.tensor2d(
    Array.from({ length: 12 }, (_, i) => Math.cos(3 * i)),
    [6, 2],
  );

async function trainFor(model: tf.LayersModel, epochs: number): Promise<tf.History['history']> {
  const [inputs, targets] = [x(), y()];
  const { history } = await model.fit(inputs, targets, { epochs, batchSize: 2, shuffle: false, verbose: 0 });
  tf.dispose([inputs, targets]);
  return history;
}

const predicted = (model: tf.LayersModel): number[] =>
  tf.tidy(() => [...(model.predict(x()) as tf.Tensor).dataSync()]);

function dispose(...models: tf.LayersModel[]): void {
  for (const model of models) {
    const { optimizer } = model;
    model.dispose();
    if (optimizer != null) disposeOptimizer(optimizer);
  }
}

describe('a model that saveParametrizedModel saved', () => {
  it.each(Object.entries(optimizers))('trains on exactly after loading, with %s', async (_, make) => {
    const model = network();
    model.compile({ optimizer: make(), loss: 'meanSquaredError', metrics: ['mae'] });
    await trainFor(model, 2);
    const memory = new Memory();
    await saveParametrizedModel(model, memory);
    const again = await loadParametrizedModel(memory, { catalog });
    expect(recipeOf(again)).toEqual(recipeOf(model));
    expect(predicted(again)).toEqual(predicted(model));
    expect(await trainFor(again, 2)).toEqual(await trainFor(model, 2));
    expect(predicted(again)).toEqual(predicted(model));
    dispose(model, again);
  });

  it('is loaded by tf.loadLayersModel as a plain model with the same predictions', async () => {
    const model = network();
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await trainFor(model, 1);
    const memory = new Memory();
    await saveParametrizedModel(model, memory);
    const plain = await tf.loadLayersModel(memory);
    expect([isParametrized(plain.layers[0]!), plain.optimizer]).toEqual([false, undefined]);
    const [one, other] = [predicted(plain), predicted(model)];
    for (const [i, value] of one.entries()) expect(value).toBeCloseTo(other[i]!, 5);
    dispose(model, plain);
  });

  it('keeps frozen originals, the metadata of the program, and layers of the package', async () => {
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 2, inputShape: [4] }), new MeanOnlyBatchNormalization({})],
    });
    weightNorm(model.layers[0]!);
    freeze(model, { type: 'Dense', name: 'kernel', original: 'v' });
    model.setUserDefinedMetadata({ epoch: 3 });
    const memory = new Memory();
    await saveParametrizedModel(model, memory);
    const again = await loadParametrizedModel(memory, { catalog: { weightNorm } });
    expect(recipeOf(again)).toEqual(recipeOf(model));
    expect(recipeOf(again).version).toBe(2);
    expect((again as unknown as { getUserDefinedMetadata(): object }).getUserDefinedMetadata()).toEqual({
      epoch: 3,
    });
    expect(again.optimizer).toBeUndefined();
    dispose(model, again);
  });

  it('has the state of the optimizer that clipGradients wraps', async () => {
    const model = network();
    model.compile({
      optimizer: clipGradients(tf.train.adam(0.02), { value: 0.01 }),
      loss: 'meanSquaredError',
    });
    await trainFor(model, 1);
    const memory = new Memory();
    await saveParametrizedModel(model, memory);
    const again = await loadParametrizedModel(memory, { catalog });
    again.compile({ optimizer: clipGradients(again.optimizer, { value: 0.01 }), loss: 'meanSquaredError' });
    await trainFor(model, 1);
    await trainFor(again, 1);
    expect(predicted(again)).toEqual(predicted(model));
    dispose(model, again);
  });

  it('has no optimizer if the loss is a function, which is refused before', async () => {
    const model = network();
    const loss = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.mean(tf.abs(tf.sub(a, b)), -1);
    const sgd = tf.train.sgd(0.1);
    model.compile({ optimizer: sgd, loss: [loss] });
    const memory = new Memory();
    const refusals = [await saveParametrizedModel(model, memory).then(String, String)];
    model.compile({
      optimizer: groupOptimizer(model, [{ optimizer: tf.train.sgd(0.1) }]),
      loss: 'meanSquaredError',
    });
    refusals.push(await saveParametrizedModel(model, memory).then(String, String));
    refusals.push(await saveParametrizedModel({} as never, memory).then(String, String));
    refusals.push(await saveParametrizedModel(model, {}).then(String, String));
    expect(refusals).toMatchInlineSnapshot(`
      [
        "ParametrizeError: saveParametrizedModel: tfjs cannot write how the model is trained: Serialization of non-string loss is not supported. Compile it with a loss and metrics by name, or pass { includeOptimizer: false }.",
        "ParametrizeError: getConfig: the groups of this optimizer belong to a model and cannot be saved. Save the model without includeOptimizer, and the result of getWeights beside it.",
        "ParametrizeError: saveParametrizedModel: expected a model of tf.layers, got Object.",
        "ParametrizeError: saveParametrizedModel: this IOHandler cannot save. Pass one with a save method.",
      ]
    `);
    disposeOptimizer(sgd);
    await saveParametrizedModel(model, memory, { includeOptimizer: false });
    const again = await loadParametrizedModel(memory, { catalog });
    expect(again.optimizer).toBeUndefined();
    expect(predicted(again)).toEqual(predicted(model));
    dispose(model, again);
  });

  it('is refused if it is damaged, and leaves nothing behind', async () => {
    const model = network();
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await trainFor(model, 1);
    const memory = new Memory();
    await saveParametrizedModel(model, memory);
    const whole = memory.artifacts;
    const metadata = whole.userDefinedMetadata as Record<string, string>;
    const withText = (key: string, text: unknown): object => ({
      userDefinedMetadata: { ...metadata, [`tfjs-parametrize${key}`]: text },
    });
    const specs = whole.weightSpecs!;
    const plain = new Memory();
    await model.save(plain);
    const { numTensors } = tf.memory();
    const refusals: string[] = [];
    for (const damage of [
      { userDefinedMetadata: undefined },
      { modelTopology: undefined },
      {
        modelTopology: {
          class_name: 'Sequential',
          config: { name: 's', layers: [{ class_name: 'Own', config: {} }] },
        },
      },
      { weightData: undefined },
      { weightData: (whole.weightData as ArrayBuffer).slice(4) },
      { weightSpecs: undefined },
      { weightSpecs: specs.map((spec) => ({ ...spec, shape: [-1] })) },
      { weightSpecs: specs.map((spec) => ({ ...spec, name: 'a' })) },
      { weightSpecs: specs.map((spec) => ({ ...spec, dtype: 'string' })) },
      withText('', '{'),
      withText('', '{"version":3}'),
      withText('', '{"version":1,"parametrizations":[]}'),
      withText('.originals', '{'),
      withText('.originals', '[1]'),
      withText('.originals', JSON.stringify(JSON.parse(metadata['tfjs-parametrize.originals']!).reverse())),
      withText('.training', '[]'),
      withText('.training', '{"loss":"x","optimizer_config":{"class_name":"Own","config":{}}}'),
      withText('.optimizer', '{}'),
    ]) {
      memory.artifacts = { ...whole, ...damage } as tf.io.ModelArtifacts;
      const error: unknown = await loadParametrizedModel(memory, { catalog }).catch(
        (reason: unknown) => reason,
      );
      refusals.push(
        `${(error as { code: string }).code}: ${(error as { fact: string }).fact ?? String(error)}`,
      );
      expect(tf.memory().numTensors, refusals.at(-1)).toBe(numTensors);
    }
    memory.artifacts = whole;
    const refusalOf = (source: tf.io.IOHandler, options: object): Promise<string> =>
      loadParametrizedModel(source, options as never).then(String, String);
    refusals.push(
      await refusalOf(plain, { catalog }),
      await refusalOf(memory, { catalog: { weightNorm } }),
      await refusalOf(memory, {}),
      await refusalOf(memory, { catalog, customObjects: { Own: class {} } }),
      await refusalOf({}, { catalog }),
    );
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(refusals).toMatchInlineSnapshot(`
      [
        "NOT_A_CHECKPOINT: this model was not saved by saveParametrizedModel",
        "CORRUPT: the artifacts have no topology of a model",
        "CORRUPT: tfjs cannot make the model: Unknown layer: Own. This may be due to one of the following reasons",
        "CORRUPT: the artifacts have no weights",
        "CORRUPT: the weights need 1184 bytes, and 1180 are there",
        "CORRUPT: the artifacts list no weights",
        "CORRUPT: a weight has no name, type or shape",
        "CORRUPT: the weight 'a' is there twice",
        "CORRUPT: a weight has no name, type or shape",
        "CORRUPT: the recipe of parametrizations is not JSON",
        "UNKNOWN_RECIPE: the recipe of parametrizations has version 3, this package reads 1 and 2",
        "CORRUPT: the recipe makes other originals than the saved ones",
        "CORRUPT: the list of originals is not JSON",
        "CORRUPT: the list of originals has no paths",
        "CORRUPT: the original 'orthogonal.parametrizations.kernel.0.base' has no tensor of its shape",
        "CORRUPT: the training configuration is not an object",
        "CORRUPT: tfjs cannot compile the model: Unknown layer: Own. This may be due to one of the following reasons",
        "UNSUPPORTED: the optimizer has the version undefined, this package reads 1",
        "CheckpointError: loadParametrizedModel: this model was not saved by saveParametrizedModel. Load it with tf.loadLayersModel.",
        "CheckpointError: applyRecipe: 'spectral.kernel' was parametrized by 'spectralNorm', which the catalog has not; it has weightNorm. Add a function of that name: catalog: { spectralNorm: (host, name, options) => … }.",
        "ParametrizeError: loadParametrizedModel: catalog is undefined, it must be an object. Pass { catalog }.",
        "ParametrizeError: loadParametrizedModel: customObjects has 'Own', which is not the className of its class. Pass { MyLayer }, whose static className is 'MyLayer'.",
        "ParametrizeError: loadParametrizedModel: this IOHandler cannot load. Pass one with a load method, or a URL.",
      ]
    `);
    dispose(model);
  });

  it('may have layers of the program', async () => {
    class Doubled extends tf.layers.Layer {
      static readonly className = 'DoubledForLoading';
      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.mul(Array.isArray(inputs) ? inputs[0]! : inputs, 2);
      }
    }
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 2, inputShape: [4] }), new Doubled({})],
    });
    weightNorm(model.layers[0]!);
    const memory = new Memory();
    await saveParametrizedModel(model, memory);
    const customObjects = { [Doubled.className]: Doubled };
    const again = await loadParametrizedModel(memory, { catalog, customObjects });
    expect(predicted(again)).toEqual(predicted(model));
    dispose(model, again);
  });
});
