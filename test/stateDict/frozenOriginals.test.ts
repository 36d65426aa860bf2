import * as tf from '@tensorflow/tfjs';
import {
  applyRecipe,
  catalog,
  freeze,
  nn,
  orthogonal,
  parametrizationsOn,
  type Recipe,
  recipeOf,
  unitNorm,
  weightNorm,
} from 'tfjs-parametrize';
import { loadCheckpoint, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { failure } from '../parametrize/unchanged.ts';

const plain = (): nn.Sequential => new nn.Sequential(new nn.Linear(3, 2), new nn.Linear(2, 2));

const trainedIn = (model: nn.Module): string[] =>
  [...model.namedParameters()].flatMap(([key, { trainable }]) => (trainable ? [key] : []));

/** Runs a function with a weight-normalized model whose direction is frozen. */
function withFrozen<T>(fn: (model: nn.Sequential) => T): T {
  const model = plain();
  weightNorm(model[0] as nn.Linear);
  freeze(model, { match: '0', name: 'weight', original: 'v' });
  const result = fn(model);
  model.dispose();
  return result;
}

/** Saves to memory. */
async function stored(model: nn.Module | tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const save = async (given: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
    artifacts = given;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  };
  await saveCheckpoint(model, { save });
  return artifacts!;
}

describe('frozen originals in recipes', () => {
  it('are version 2, and a recipe without them stays version 1', () => {
    const model = plain();
    weightNorm(model[0] as nn.Linear);
    const before = recipeOf(model);
    const frozen = freeze(model, { match: '0', name: 'weight', original: 'v' });
    const during = recipeOf(model);
    frozen.unfreeze();
    expect([before.version, during.version, recipeOf(model)]).toEqual([1, 2, before]);
    expect(during.parametrizations).toEqual([{ ...before.parametrizations[0], frozen: ['original1'] }]);
    model.dispose();
  });

  it('are not written where the definition of the map freezes them', () => {
    const model = new nn.Linear(3, 3);
    orthogonal(model);
    expect(recipeOf(model).version).toBe(1);
    model.dispose();
  });

  it('stay frozen after applyRecipe, and train again after undo', () => {
    const recipe = withFrozen(recipeOf);
    const model = plain();
    const all = trainedIn(model);
    const plan = applyRecipe(model, recipe, { catalog, dryRun: true });
    expect([plan.recipe.version, trainedIn(model)]).toEqual([2, all]);
    const report = applyRecipe(model, JSON.stringify(recipe), { catalog });
    expect(report.recipe).toEqual(recipe);
    expect(trainedIn(model)).not.toContain('0.parametrizations.weight.original1');
    expect(trainedIn(model)).toContain('0.parametrizations.weight.original0');
    report.undo();
    expect(trainedIn(model)).toEqual(all);
    model.dispose();
  });

  it('are frozen on a tensor that has the chain already', () => {
    const recipe = withFrozen(recipeOf);
    const model = plain();
    weightNorm(model[0] as nn.Linear);
    const before = trainedIn(model);
    const report = applyRecipe(model, recipe, { catalog });
    expect(report.unchanged).toHaveLength(1);
    expect(recipeOf(model)).toEqual(recipe);
    report.undo();
    expect(trainedIn(model)).toEqual(before);
    model.dispose();
  });

  it('reach chains inside of chains', () => {
    const model = plain();
    weightNorm(model[0] as nn.Linear);
    const list = parametrizationsOn(model[0]!, 'weight');
    unitNorm(list, 'original1' as never);
    parametrizationsOn(list, 'original1').original!.trainable = false;
    const other = plain();
    applyRecipe(other, recipeOf(model), { catalog });
    expect(recipeOf(other)).toEqual(recipeOf(model));
    expect(recipeOf(other).version).toBe(2);
    model.dispose();
    other.dispose();
  });

  it('stay frozen on a model of tf.layers that is compiled and trained', async () => {
    const make = (): tf.Sequential => {
      const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3], name: 'a' })] });
      model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
      return model;
    };
    const [model, other] = [make(), make()];
    weightNorm(model.layers[0]!);
    freeze(model, { name: 'kernel', original: 'v' });
    applyRecipe(other, recipeOf(model), { catalog });
    const { original0, original1 } = parametrizationsOn(other.layers[0]!, 'kernel');
    const before = [original0!.dataSync(), original1!.dataSync()];
    const [x, y] = [tf.ones([4, 3]), tf.ones([4, 2])];
    await other.fit(x, y, { epochs: 1 });
    expect(original1!.dataSync()).toEqual(before[1]);
    expect(original0!.dataSync()).not.toEqual(before[0]);
    for (const one of [model, other]) one.dispose();
    tf.dispose([x, y]);
    for (const { optimizer } of [model, other]) optimizer.dispose();
  });

  it('are kept by a checkpoint of a module', async () => {
    const model = plain();
    weightNorm(model[0] as nn.Linear);
    freeze(model, { match: '0', name: 'weight', original: 'v' });
    const artifacts = await stored(model);
    const again = plain();
    await loadCheckpoint(again, { load: async () => artifacts }, { catalog });
    expect(recipeOf(again)).toEqual(recipeOf(model));
    expect(recipeOf(again).version).toBe(2);
    model.dispose();
    again.dispose();
  });

  it('are kept by a checkpoint of a model of tf.layers, in the layout of torch and as they are', async () => {
    const make = (): tf.Sequential =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 2, inputShape: [3], name: 'a' }),
          tf.layers.dense({ units: 2, name: 'b' }),
        ],
      });
    const model = make();
    weightNorm(model.layers[0]!);
    unitNorm(model.layers[1]!);
    freeze(model, { match: 'a', name: 'kernel', original: 'v' });
    freeze(model, { match: 'b', name: 'kernel' });
    const artifacts = await stored(model);
    const again = make();
    await loadCheckpoint(again, { load: async () => artifacts }, { catalog });
    expect(recipeOf(again)).toEqual(recipeOf(model));
    expect(recipeOf(again).parametrizations.map(({ frozen }) => frozen)).toEqual([
      ['original1'],
      ['original'],
    ]);
    model.dispose();
    again.dispose();
  });

  it('are refused if they are no names, too many, in version 1, or not in the chain', () => {
    const [entry] = withFrozen(recipeOf).parametrizations;
    const model = plain();
    const refusalOf = (frozen: unknown, version = 2): string =>
      failure(() =>
        applyRecipe(model, { version, parametrizations: [{ ...entry, frozen }] } as Recipe, { catalog }),
      );
    const keys = Object.keys(model.stateDict());
    expect([
      refusalOf('original1'),
      refusalOf([1]),
      refusalOf(Array(1)),
      refusalOf(Array(65).fill('original1')),
      refusalOf(['original1'], 1),
      refusalOf(['original1'], 3),
      refusalOf(['originl1']),
      refusalOf(['constructor']),
    ]).toMatchInlineSnapshot(`
      [
        "CORRUPT: applyRecipe: the recipe of parametrizations has no names in frozen. Pass what recipeOf returns, or its JSON.",
        "CORRUPT: applyRecipe: the recipe of parametrizations has no names in frozen. Pass what recipeOf returns, or its JSON.",
        "CORRUPT: applyRecipe: the recipe of parametrizations has no names in frozen. Pass what recipeOf returns, or its JSON.",
        "LIMIT: applyRecipe: the recipe of parametrizations freezes more than 64 originals of '0.weight'. Pass what recipeOf returns, or its JSON.",
        "CORRUPT: applyRecipe: the recipe of parametrizations has version 1, which has no frozen. Pass what recipeOf returns, or its JSON.",
        "UNKNOWN_RECIPE: applyRecipe: the recipe of parametrizations has version 3, this package reads 1 and 2. Update the package.",
        "UNKNOWN_RECIPE: applyRecipe: the recipe freezes 'originl1' of '0.weight', whose originals are original0, original1. Did you mean 'original1'? Correct the name, or leave it out of frozen.",
        "UNKNOWN_RECIPE: applyRecipe: the recipe freezes 'constructor' of '0.weight', whose originals are original0, original1. Correct the name, or leave it out of frozen.",
      ]
    `);
    expect(Object.keys(model.stateDict())).toEqual(keys);
    model.dispose();
  });
});
