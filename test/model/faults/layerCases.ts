import * as tf from '@tensorflow/tfjs';
import { applyRecipe, fold } from 'tfjs-parametrize';
import { loadCheckpoint } from 'tfjs-parametrize/checkpoint';
import { constraintsToParametrizations, folded, syncModel } from 'tfjs-parametrize/layers';
import { all, type Case, disposeLayers, editAll, fileOf, recipeFor, ruled, tensorsOf } from './cases.ts';
import { layersNetwork } from './models.ts';

const layerTensors = (model: tf.Sequential): [object, string][] =>
  tensorsOf(model, (path) =>
    path
      .split('.')
      .slice(1)
      .reduce(
        (host, part) => (host as Record<string, object>)[part]!,
        model.getLayer(path.split('.')[0]!) as object,
      ),
  );

/** A step of the optimizer with gradients of one, so that every weight has moments: wasm lacks some gradients. */
function trained(model: tf.Sequential): void {
  const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  tf.tidy(() =>
    model.optimizer.applyGradients(variables.map(({ name, shape }) => ({ name, tensor: tf.ones(shape) }))),
  );
}

const compiled = async (prepare: (model: tf.Sequential) => void = () => {}): Promise<tf.Sequential> => {
  const model = await layersNetwork();
  prepare(model);
  syncModel(model);
  trained(model);
  return model;
};

/** The same on a model of tf.layers. */
export const layerCases: Readonly<Record<string, () => Promise<Case>>> = {
  'parametrize on layers': async () => {
    const model = await compiled();
    return { model, act: () => ruled(model) };
  },
  'applyRecipe on layers': async () => {
    const model = await compiled();
    const recipe = recipeFor(model, 'dense12', 'kernel');
    return { model, act: () => applyRecipe(model, recipe, { catalog: all }) };
  },
  'edits in a transaction on layers': async () => {
    const model = await compiled(ruled);
    return { model, act: () => editAll(layerTensors(model)) };
  },
  'undo on layers': async () => {
    const model = await compiled();
    const report = ruled(model);
    trained(model);
    return { model, act: () => report.undo() };
  },
  'fold on layers': async () => {
    const model = await compiled(ruled);
    return { model, act: () => fold(model) };
  },
  'loadCheckpoint with a recipe on layers': async () => {
    const source = await layersNetwork();
    ruled(source);
    const file = await fileOf(source);
    disposeLayers(source);
    const model = await compiled();
    return { model, act: () => loadCheckpoint(model, file, { catalog: all }) };
  },
  'loadCheckpoint with an optimizer on layers': async () => {
    const source = await compiled(ruled);
    const file = await fileOf(source, { optimizer: source.optimizer });
    disposeLayers(source);
    const model = await compiled();
    return {
      model,
      act: () => loadCheckpoint(model, file, { catalog: all, optimizer: model.optimizer }),
    };
  },
  'saveCheckpoint on layers': async () => {
    const model = await compiled(ruled);
    return { model, act: () => fileOf(model, { keyFormat: 'folded' }) };
  },
  'folded on layers': async () => {
    const model = await compiled(ruled);
    return {
      model,
      act: () => folded(model, () => tf.tidy(() => void model.getWeights().map(tf.clone))),
    };
  },
  constraintsToParametrizations: async () => {
    const model = await compiled();
    return { model, act: () => constraintsToParametrizations(model) };
  },
};
