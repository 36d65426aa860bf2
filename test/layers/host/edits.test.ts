import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrization,
  removeParametrizations,
  spectralNorm,
  weightNorm,
} from '../../../src/index.ts';
import '../../../src/layers/index.ts';
import { siteOf } from '../../../src/parametrize/host/site.ts';
import { transaction } from '../../../src/parametrize/transaction.ts';
import {
  planInsertion,
  planReplacement,
  planStepRemoval,
} from '../../../src/parametrize/verbs/edit/planSteps.ts';
import { AddOne, Double, SumOfThree } from '../../parametrize/fixtures.ts';
import { failure } from '../../parametrize/unchanged.ts';

const names = (layer: tf.layers.Layer): string[] =>
  layer.trainableWeights.map(({ originalName }) => originalName);

describe('an edit of the chain of a layer', () => {
  it('renames the weights whose steps move, so that no two are saved under one name', () => {
    const layer = tf.layers.dense({ units: 3, inputShape: [3] });
    const model = tf.sequential({ layers: [layer] });
    spectralNorm(spectralNorm(weightNorm(layer)));
    removeParametrization(layer, 'kernel', 1);
    spectralNorm(layer);
    const saved = layer.weights.map(({ originalName }) => originalName);
    expect(saved.slice(3).map((name) => name.slice(layer.name.length))).toEqual([
      '/kernel/1._u',
      '/kernel/1._v',
      '/kernel/2._u',
      '/kernel/2._v',
    ]);
    model.dispose();
  });

  it('puts the originals of the new chain in the place of the weight, and takes that back', () => {
    const layer = tf.layers.dense({ units: 3, inputShape: [3] });
    const model = tf.sequential({ layers: [layer] });
    const kernel = layer.weights[0]!;
    const variable = kernel.read() as tf.Variable;
    weightNorm(layer);
    registerParametrization(layer, 'kernel', new Double());
    const list = parametrizationsOn(layer, 'kernel');
    const before = names(layer);
    const holders = [...layer.weights];
    const site = () => siteOf(layer, 'kernel');
    const edit = (): void =>
      tf.tidy(() => {
        transaction(planReplacement('replace', site(), 0, new SumOfThree()));
        transaction(planInsertion('insert', site(), new AddOne(), 1));
        transaction(planStepRemoval('remove', site(), 0));
      });
    expect(
      failure(
        () =>
          transaction(() => {
            edit();
            throw new Error('later');
          }),
        list,
      ),
    ).toBe('Error: later');
    expect(names(layer)).toEqual(before);
    expect(layer.weights).toEqual(holders);

    const value = tf.tidy(() => kernel.read().arraySync());
    edit();
    expect(list.parameters()).toEqual([variable]);
    expect(layer.trainableWeights.map((weight) => weight.read())[0]).toBe(variable);
    expect(layer.trainableWeights).toHaveLength(2);
    // The insertion added one, which Double doubles.
    tf.tidy(() => void expect(kernel.read()).toBeAllClose(tf.add(tf.tensor(value as number[][]), 2)));
    removeParametrizations(layer, 'kernel');
    expect(layer.weights[0]).toBe(kernel);
    expect(kernel.read()).toBe(variable);
    expect(list.training).toBe(false);
    model.dispose();
  });
});
