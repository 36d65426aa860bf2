import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { savedState } from '../../src/checkpoint/save/savedState.ts';
import '../../src/layers/index.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/checkpoint/index.ts';
import { viewOf } from '../../src/checkpoint/viewOf.ts';
import { isParametrized, nn, spectralNorm, weightNorm } from '../../src/index.ts';
import type { StatefulModel } from '../../src/stateDict/stateView.ts';
import { TorchStateView } from '../../src/stateDict/torchStateView.ts';
import { disposeModel } from '../layers/layerCases.ts';

const viewFor = (model: StatefulModel) =>
  viewOf('loadCheckpoint', model, (kind) => new TorchStateView(kind, 'loadCheckpoint', model));

const network = (): nn.Sequential => new nn.Sequential(weightNorm(new nn.Linear(3, 4)), new nn.Linear(4, 2));

function layerNetwork(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ name: '0', units: 4, inputShape: [3] }),
      tf.layers.dense({ name: '1', units: 2 }),
    ],
  });
  weightNorm(model.layers[0]!);
  return model;
}

const models: [string, () => StatefulModel, (model: StatefulModel) => void][] = [
  ['a module', network, (model) => (model as nn.Module).dispose()],
  ['a model of tf.layers', layerNetwork, (model) => disposeModel(model as tf.Sequential)],
];

describe.each(models)('the view of the state of %s', (_, make, dispose) => {
  it.each(['modern', 'legacy', 'folded'] as const)(
    'knows the part of every key that it saves in the key format %s',
    (keyFormat) => {
      const model = make();
      const view = viewFor(model);
      const { tensors } = savedState(view, model, keyFormat);
      expect(Object.keys(tensors).length).toBeGreaterThanOrEqual(4);
      for (const key of Object.keys(tensors)) {
        expect(view.partOf(key)?.owner.split('.')[0]).toBe(key.split('.')[0]);
        expect(view.partOf(`other.${key}`)).toBeUndefined();
      }
      tf.dispose(tensors);
      dispose(model);
    },
  );

  it('loads what it saves, and reports each tensor once', async () => {
    const [model, other] = [make(), make()];
    const { tensors, recipe } = savedState(viewFor(model), model, undefined);
    const loaded = viewFor(other).load({
      tensors,
      recipe,
      strict: true,
      catalog: undefined,
      caller: 'loadCheckpoint',
      what: 'file',
    });
    expect(loaded.mapped.flatMap(({ from }) => from).sort()).toEqual(Object.keys(tensors).sort());
    expect(loaded).toMatchObject({ missingKeys: [], unexpectedKeys: [], registered: [] });
    const { tensors: after } = savedState(viewFor(other), other, undefined);
    expect(Object.keys(after)).toEqual(Object.keys(tensors));
    for (const [key, value] of Object.entries(after)) {
      expect(await value.data(), key).toEqual(await tensors[key]!.data());
    }
    tf.dispose([tensors, after]);
    for (const each of [model, other]) dispose(each);
  });
});

describe('the recipe of a file', () => {
  const handlerFor = (): { handler: tf.io.IOHandler } => {
    let saved: tf.io.ModelArtifacts | undefined;
    return {
      handler: {
        save: async (artifacts) => {
          saved = artifacts;
          return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
        },
        load: async () => saved!,
      },
    };
  };

  it('is followed on a module that is a part of the saved one, and under other names', async () => {
    const whole = new nn.Sequential(network());
    const { handler } = handlerFor();
    await saveCheckpoint(whole, handler);
    const plain = new nn.Sequential(new nn.Linear(3, 4), new nn.Linear(4, 2));
    const report = await loadCheckpoint(plain, handler, { prefix: '0', catalog: { weightNorm } });
    expect(report.registered).toEqual(['0.weight']);
    const turned = new nn.Sequential(new nn.Linear(4, 2), new nn.Linear(3, 4));
    const rename = { '0': '1', '1': '0' };
    const { registered } = await loadCheckpoint(turned, handler, {
      prefix: '0',
      rename,
      catalog: { weightNorm },
    });
    expect(registered).toEqual(['1.weight']);
    for (const module of [whole, plain, turned]) module.dispose();
  });

  it('is followed where an original is parametrized itself', async () => {
    const make = (): nn.Sequential => new nn.Sequential(new nn.Linear(3, 4));
    const saved = make();
    const list = weightNorm(saved.at(0) as nn.Linear).parametrizations!.weight!;
    spectralNorm(list as unknown as nn.Module, 'original1' as never);
    const { handler } = handlerFor();
    await saveCheckpoint(saved, handler);
    const plain = make();
    const { registered } = await loadCheckpoint(plain, handler, { catalog: { weightNorm, spectralNorm } });
    expect(registered).toEqual(['0.weight', '0.parametrizations.weight.original1']);
    expect(isParametrized(plain.at(0) as nn.Linear, 'weight')).toBe(true);
    for (const module of [saved, plain]) module.dispose();
  });
});
