import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it } from 'vitest';
import { isDisposedLayer, isLayer, isOwnWeight, type Layer, weightListsOf } from '../../src/engine/layer.ts';
import { callsOf, callsOnOutputs } from '../../src/engine/layerGraph.ts';
import {
  aroundTraining,
  collectedWeights,
  collectWeights,
  type Model,
} from '../../src/engine/modelTraining.ts';
import { registeredPrototype } from '../../src/engine/registeredClass.ts';

const disposables: { dispose(): unknown }[] = [];
afterEach(() => {
  for (const item of disposables.splice(0)) item.dispose();
});

function modelOf(): { model: tf.Sequential; dense: Layer } {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
  disposables.push(model);
  return { model, dense: model.layers[0] as unknown as Layer };
}

describe('isLayer', () => {
  it('is true of layers, models and cells of tfjs-layers', () => {
    const { model, dense } = modelOf();
    expect([model, dense, tf.layers.gruCell({ units: 1 })].map(isLayer)).toEqual([true, true, true]);
  });

  it('is false of anything else, also of what looks like a layer half', () => {
    const half = { _trainableWeights: [], getClassName: () => 'Half' };
    expect([null, {}, half, new Map()].map(isLayer)).toEqual([false, false, false, false]);
  });
});

describe('the weights of a layer', () => {
  it('are in the lists that tfjs trains and saves, and in those of no other layer', () => {
    const { model, dense } = modelOf();
    const [trainable, others] = weightListsOf(dense);
    expect(trainable.map(({ val }) => val)).toEqual(dense.trainableWeights.map(({ val }) => val));
    expect(others).toEqual([]);
    expect(isOwnWeight(dense, trainable[0]!)).toBe(true);
    expect(isOwnWeight(model as unknown as Layer, trainable[0]!)).toBe(false);
  });

  it('end with the layer', () => {
    const { model, dense } = modelOf();
    expect(isDisposedLayer(dense)).toBe(false);
    model.dispose();
    disposables.length = 0;
    expect(isDisposedLayer(dense)).toBe(true);
  });
});

describe('the graph of layers', () => {
  it('has the calls of a layer and those on its outputs', () => {
    const input = tf.input({ shape: [3] });
    const [first, second] = [tf.layers.dense({ units: 2 }), tf.layers.dense({ units: 1 })];
    const model = tf.model({
      inputs: input,
      outputs: second.apply(first.apply(input)) as tf.SymbolicTensor,
    });
    disposables.push(model);
    const [one, two] = [first, second] as unknown as Layer[];
    expect(callsOf(two!).map(({ outboundLayer }) => outboundLayer)).toEqual([two]);
    expect(callsOnOutputs(one!).map(({ outboundLayer }) => outboundLayer)).toEqual([two]);
  });

  it('is empty where a layer shows no nodes', () => {
    const layer = {} as Layer;
    expect([callsOf(layer), callsOnOutputs(layer)]).toEqual([[], []]);
  });
});

describe('the training of a model', () => {
  it('goes by the weights that compile has collected', () => {
    const { model } = modelOf();
    const inner = model as unknown as Model;
    expect(collectedWeights(inner)).toBeNull();
    model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });
    const { model: trained } = inner as { model?: Model };
    const weights = collectedWeights(trained ?? inner)!;
    expect(weights.length).toBe(2);
    collectWeights(inner, weights.slice(1));
    expect(collectedWeights(inner)).toEqual(weights.slice(1));
  });

  it('is left alone in a class that trains in another way', () => {
    class Other {}
    aroundTraining(Other.prototype, () => (train) => train());
    expect(Object.getOwnPropertyNames(Other.prototype)).toEqual(['constructor']);
  });
});

it('finds the prototype of a registered class, and none of another', () => {
  expect(registeredPrototype('Dense')).toBe(tf.layers.dense({ units: 1 }).constructor.prototype);
  expect(registeredPrototype('NoSuchClass')).toBeUndefined();
});
