import * as tf from '@tensorflow/tfjs';
import { catalog, describe as describeModel, maxNorm, spectralNorm, weightNorm } from 'tfjs-parametrize';
import { syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { loadCheckpoint, saveCheckpoint } from '../../../src/checkpoint/index.ts';
import { ownersOf } from '../../../src/engine/optimizerOwners.ts';
import { countersOf, iterationsOf, slotNames, slotVariables } from '../../../src/engine/optimizerSnapshot.ts';
import { disposeModel } from '../../layers/layerCases.ts';
import { optimizers } from '../../parametrize/laws/specimens.ts';
import { memoryHandler } from '../layerNetworks.ts';

const optimizerNames = Object.keys(optimizers);

/** A compiled model, whose layers have the same names each time. */
function plain(optimizer = 'adam', units = 4): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units, inputShape: [3], activation: 'tanh', name: 'first' }),
      tf.layers.batchNormalization({ name: 'norm', epsilon: 1e-5 }),
      tf.layers.dense({ units: 4, activation: 'tanh', name: 'second' }),
      tf.layers.dense({ units: 2, name: 'head' }),
    ],
  });
  model.compile({ optimizer: optimizers[optimizer]!(), loss: 'meanSquaredError' });
  return model;
}

/** The same with parametrizations: two originals, state of its own, a part that does not train. */
function normed(optimizer = 'adam', units = 4): tf.Sequential {
  const model = plain(optimizer, units);
  weightNorm(model.getLayer('first'), 'kernel');
  spectralNorm(model.getLayer('second'), 'kernel');
  maxNorm(model.getLayer('head'), 'kernel', { maxValue: 0.5 });
  return syncModel(model);
}

/** Trains for one epoch for each number; its batch depends on the number. */
async function train(model: tf.Sequential, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    const x = tf.tensor2d(
      Array.from({ length: 4 }, (_, row) => [Math.sin(i + row), row / 3, Math.cos(i * row)]),
    );
    const y = tf.tensor2d(Array.from({ length: 4 }, (_, row) => [Math.cos(i - row), 1]));
    await model.fit(x, y, { epochs: 1, shuffle: false, verbose: 0 });
    tf.dispose([x, y]);
  }
}

const numbers = (tensor: tf.Tensor): number[] => [...tensor.dataSync()];

/** The variables and values of a model, and the state of its optimizer. */
function stateOf(model: tf.Sequential) {
  const { optimizer } = model;
  return {
    weights: model.getWeights().map((weight) => [weight.id, numbers(weight)]),
    chains: describeModel(model).rows.map(({ path, tensor, chain }) => [path, tensor, chain]),
    trained: model.trainableWeights.map(({ id }) => id),
    slots: slotNames(optimizer)!.map((name) => [
      name,
      slotVariables(optimizer, name).map((slot) => slot && [slot.id, slot.name, numbers(slot)]),
    ]),
    owners: (ownersOf(optimizer) as readonly tf.Variable[] | undefined)?.map((owner) => owner?.id),
    counters: countersOf(optimizer).map(([name, counter]) => [name, counter.id, numbers(counter)]),
    iterations: iterationsOf(optimizer),
    config: optimizer.getConfig(),
    numTensors: tf.memory().numTensors,
    registered: Object.keys(tf.engine().registeredVariables),
  };
}

const valuesOf = (model: tf.Sequential): number[][] => model.getWeights().map(numbers);

function dispose(...models: tf.Sequential[]): void {
  for (const model of models) {
    (model.optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
    disposeModel(model);
  }
}

describe('the optimizer of a compiled model of tf.layers', () => {
  it.each(optimizerNames)(
    'continues exactly from a checkpoint in a model of the same names, with %s',
    async (name) => {
      const model = normed(name);
      await train(model, 0, 3);
      const file = memoryHandler();
      await saveCheckpoint(model, file, { optimizer: model.optimizer });
      await train(model, 3, 6);
      const trained = normed(name);
      await train(trained, 7, 9);
      const another = plain(name);
      await train(another, 7, 9);
      for (const other of [normed(name), trained, plain(name), another]) {
        const { optimizer } = other;
        const report = await loadCheckpoint(other, file, { optimizer, catalog });
        expect(report.optimizer).toMatchObject({ missing: [], unexpected: [], iterations: 3, differing: [] });
        await train(other, 3, 6);
        expect(valuesOf(other)).toEqual(valuesOf(model));
        dispose(other);
      }
      dispose(model);
    },
  );

  it.each(['adam', 'momentum'])(
    'stays with its model as it was if its state is refused, with %s',
    async (name) => {
      const saved = normed(name);
      await train(saved, 0, 2);
      const file = memoryHandler();
      await saveCheckpoint(saved, file, { optimizer: saved.optimizer });
      const normedOnce = plain(name);
      weightNorm(normedOnce.getLayer('first'), 'kernel');
      syncModel(normedOnce);
      await train(normedOnce, 0, 2);
      const onceFile = memoryHandler();
      await saveCheckpoint(normedOnce, onceFile, { optimizer: normedOnce.optimizer });
      const unoptimized = memoryHandler();
      await saveCheckpoint(saved, unoptimized);
      const wide = plain(name, 5);
      await train(wide, 0, 1);
      const other = memoryHandler();
      await saveCheckpoint(wide, other, { optimizer: wide.optimizer });
      const refusals: string[] = [];
      for (const make of [plain, normed]) {
        const [model, twin] = [make(name), make(name)];
        twin.setWeights(model.getWeights());
        for (const each of [model, twin]) await train(each, 0, 2);
        const strange = tf.train.adagrad(0.1);
        for (const [source, optimizer] of [
          [file, strange],
          [unoptimized, model.optimizer],
          [other, model.optimizer],
          [await damaged(file), model.optimizer],
          // Without a catalog, a plain model folds the weights, and has no originals for the state.
          ...(make === plain ? [[onceFile, model.optimizer] as const] : []),
        ] as const) {
          const before = stateOf(model);
          const options = { optimizer, ...(source !== onceFile && { catalog }) };
          const error: unknown = await loadCheckpoint(model, source, options).catch(
            (reason: unknown) => reason,
          );
          expect(stateOf(model)).toEqual(before);
          const { code, fact } = error as { readonly code: string; readonly fact: string };
          refusals.push(
            `${code}: ${fact
              .replace(/'(Adam|Momentum)'/, 'X')
              .replaceAll('/m/', '/momentum/')
              .slice(0, 100)}`,
          );
        }
        strange.dispose();
        for (const each of [model, twin]) await train(each, 2, 4);
        expect(valuesOf(model)).toEqual(valuesOf(twin));
        dispose(model, twin);
      }
      dispose(saved, wide, normedOnce);
      expect(refusals).toMatchInlineSnapshot(`
        [
          "OPTION: the file has the state of the optimizer X, and optimizer is Adagrad",
          "STATE_DICT: the file has no state of an optimizer. Nothing was loaded",
          "STATE_DICT: the file does not fit Sequential: 'first.weight' has shape [5, 3] in the file and [4, 3] in the modu",
          "CORRUPT: 'optimizer/0/momentum/0' of the optimizer is float32 [1, 4, 1], its variable has float32 [1, 4]",
          "STATE_DICT: the optimizer of the file has state of variables that the optimizer of the model does not train: 'fi",
          "OPTION: the file has the state of the optimizer X, and optimizer is Adagrad",
          "STATE_DICT: the file has no state of an optimizer. Nothing was loaded",
          "STATE_DICT: the file does not fit Sequential: 'first.weight': the value has shape [5, 3], expected [4, 3]; 'seco",
          "CORRUPT: 'optimizer/0/momentum/0' of the optimizer is float32 [1, 4, 1], its variable has float32 [1, 4]",
        ]
      `);
    },
  );
});

/** The same file, in which one moment has another shape. */
async function damaged(file: tf.io.IOHandler): Promise<tf.io.IOHandler> {
  const artifacts = await file.load!();
  const weightSpecs = artifacts.weightSpecs!.map((spec) =>
    /^optimizer\/0\/\w+\/0$/.test(spec.name) ? { ...spec, shape: [...spec.shape, 1] } : spec,
  );
  return { load: async () => ({ ...artifacts, weightSpecs }) };
}
