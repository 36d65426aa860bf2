import * as tf from '@tensorflow/tfjs';
import {
  catalog,
  clipGradients,
  groupOptimizer,
  minimize,
  nn,
  parametrizationsOn,
  weightNorm,
} from 'tfjs-parametrize';
import { loadCheckpoint, openSafetensors, saveCheckpoint } from 'tfjs-parametrize/checkpoint';
import { describe, expect, it } from 'vitest';
import { disposeOptimizer, optimizers } from '../../parametrize/laws/specimens.ts';

/** Parameters of a plain and of a weight-normalized layer. */
abstract class Net extends nn.Module {
  abstract first: nn.Linear;
  abstract second: nn.Linear;
  override forward(x: tf.Tensor): tf.Tensor {
    return this.second.call(tf.tanh(this.first.call(x)));
  }
}

class Forwards extends Net {
  first = new nn.Linear(3, 4);
  second = new nn.Linear(4, 2);
}

class Backwards extends Net {
  second = new nn.Linear(4, 2);
  first = new nn.Linear(3, 4);
}

const normed = <N extends Net>(net: N): N => {
  weightNorm(net.first);
  return net;
};

type Make = (model: Net) => tf.Optimizer;

const makers: Record<string, Make> = {
  ...Object.fromEntries(Object.entries(optimizers).map(([name, make]) => [name, () => make()])),
  'plain rmsprop': () => tf.train.rmsprop(0.01, 0.9, 0.5),
  clipGradients: () => clipGradients(tf.train.adam(0.02), { value: 0.1 }),
  groupOptimizer: (model) =>
    groupOptimizer(model, [
      {
        match: 'first',
        name: 'weight',
        original: 'g',
        optimizer: tf.train.adadelta(0.5),
        weightDecay: 0.1,
      },
      { match: 'second', optimizer: tf.train.adam(0.02) },
      { optimizer: tf.train.sgd(0.01) },
    ]),
  'clipGradients of groups': (model) =>
    clipGradients(
      groupOptimizer(model, [
        { match: 'second', optimizer: tf.train.adagrad(0.02) },
        { optimizer: tf.train.adamax(0.01) },
      ]),
      { value: 1 },
    ),
};

const inputs = Array.from({ length: 6 }, (_, i) => [0.5 - i, 1, i / 3]);

/** Takes steps, each on its own input. */
function train(model: Net, optimizer: tf.Optimizer, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    const loss = (): tf.Scalar => {
      const error = tf.sub(model.call(tf.tensor2d([inputs[i]!])), tf.tensor2d([[1, -1]]));
      return tf.sum(tf.square(error));
    };
    tf.tidy(() => void optimizer.minimize(loss, false, model.parameters()));
  }
}

const numbersOf = (model: nn.Module): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries(model.stateDict())
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, tensor]) => [key, [...tensor.dataSync()]]),
  );

/** Keeps the artifacts of a saved model. */
class Memory implements tf.io.IOHandler {
  artifacts!: tf.io.ModelArtifacts;
  save = async (artifacts: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> => {
    this.artifacts = artifacts;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  };
  load = async (): Promise<tf.io.ModelArtifacts> => this.artifacts;
}

async function bytesOf(model: nn.Module, optimizer: tf.Optimizer): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await saveCheckpoint(model, new WritableStream({ write: (part) => void parts.push(part) }), { optimizer });
  return parts[0]!;
}

function dispose(...things: (nn.Module | tf.Optimizer)[]): void {
  for (const thing of things) {
    if (thing instanceof tf.Optimizer) disposeOptimizer(thing);
    else thing.dispose();
  }
}

describe.each(Object.entries(makers))('a checkpoint with the state of %s', (_, make) => {
  it('continues a training exactly, also with the parameters in another order', async () => {
    const model = normed(new Forwards());
    const optimizer = make(model);
    train(model, optimizer, 0, 3);
    const memory = new Memory();
    await saveCheckpoint(model, memory, { optimizer });
    const bytes = await bytesOf(model, optimizer);
    train(model, optimizer, 3, 6);
    for (const [other, source] of [
      [normed(new Backwards()), memory],
      [normed(new Forwards()), bytes],
    ] as const) {
      const again = make(other);
      const report = await loadCheckpoint(other, source, { optimizer: again });
      expect(report.optimizer).toMatchObject({ missing: [], unexpected: [], iterations: 3, differing: [] });
      train(other, again, 3, 6);
      expect(numbersOf(other)).toEqual(numbersOf(model));
      dispose(other, again);
    }
    dispose(model, optimizer);
  });

  it('replaces the state of an optimizer that has trained, and saves what was loaded', async () => {
    const model = normed(new Forwards());
    const optimizer = make(model);
    train(model, optimizer, 0, 2);
    const bytes = await bytesOf(model, optimizer);
    const other = normed(new Backwards());
    const again = make(other);
    train(other, again, 0, 4);
    await loadCheckpoint(other, bytes, { optimizer: again });
    const memory = new Memory();
    await saveCheckpoint(other, memory, { optimizer: again });
    const third = normed(new Forwards());
    const last = make(third);
    await loadCheckpoint(third, memory, { optimizer: last });
    for (const [net, own] of [
      [model, optimizer],
      [other, again],
      [third, last],
    ] as const)
      train(net, own, 2, 5);
    expect(numbersOf(other)).toEqual(numbersOf(model));
    expect(numbersOf(third)).toEqual(numbersOf(model));
    dispose(model, optimizer, other, again, third, last);
  });
});

describe('the state of an optimizer in a checkpoint', () => {
  it('continues on a model that nothing parametrizes, whatever the order of its variables', async () => {
    const model = new Forwards();
    const optimizer = tf.train.adam(0.02);
    train(model, optimizer, 0, 3);
    const memory = new Memory();
    await saveCheckpoint(model, memory, { optimizer });
    train(model, optimizer, 3, 6);
    const other = new Backwards();
    const again = tf.train.adam(0.02);
    await loadCheckpoint(other, memory, { optimizer: again });
    train(other, again, 3, 6);
    expect(numbersOf(other)).toEqual(numbersOf(model));
    dispose(model, optimizer, other, again);
  });

  it('is restored together with parametrizations by a recipe, also into groups', async () => {
    const groups = (model: Net): tf.Optimizer =>
      groupOptimizer(model, [
        { match: 'first', optimizer: tf.train.adam(0.02) },
        { optimizer: tf.train.sgd(0.1) },
      ]);
    const model = normed(new Forwards());
    const optimizer = groups(model);
    train(model, optimizer, 0, 3);
    const memory = new Memory();
    await saveCheckpoint(model, memory, { optimizer });
    train(model, optimizer, 3, 6);
    const other = new Forwards();
    const again = groups(other);
    const report = await loadCheckpoint(other, memory, { optimizer: again, catalog });
    expect(report.registered).toEqual(['first.weight']);
    train(other, again, 3, 6);
    expect(numbersOf(other)).toEqual(numbersOf(model));
    dispose(model, optimizer, other, again);
  });

  it('has the learning rate of its time', async () => {
    for (const make of [
      () => tf.train.sgd(0.1),
      () => tf.train.momentum(0.1, 0.9),
      () => tf.train.adam(0.1),
    ]) {
      const model = new Forwards();
      const optimizer = make();
      Object.assign(optimizer, { learningRate: 0.025 });
      const memory = new Memory();
      await saveCheckpoint(model, memory, { optimizer });
      const again = make();
      await loadCheckpoint(model, memory, { optimizer: again });
      expect(again.getConfig()['learningRate']).toBe(0.025);
      dispose(model, optimizer, again);
    }
  });

  it('is skipped without an optimizer, and takes no name from the state dict', async () => {
    const model = normed(new Forwards());
    const optimizer = tf.train.adam(0.02);
    train(model, optimizer, 0, 1);
    const bytes = await bytesOf(model, optimizer);
    const other = new Forwards();
    const report = await loadCheckpoint(other, bytes);
    expect([report.optimizer, report.skipped.length]).toEqual([null, 12]);
    expect(String(report)).toMatch(/^optimizer\.… \(12 tensors\) +— +skipped$/m);
    const file = await openSafetensors(bytes);
    expect(file.names.filter((name) => name.startsWith('optimizer/')).slice(0, 4)).toEqual([
      'optimizer/0/accBeta1',
      'optimizer/0/accBeta2',
      'optimizer/0/m/0',
      'optimizer/0/m/1',
    ]);
    await file.close();
    dispose(model, optimizer, other);
  });

  it('tells what was restored, what is missing, and which options differ', async () => {
    const model = normed(new Forwards());
    const optimizer = tf.train.adam(0.02);
    const trained = [parametrizationsOn(model.first, 'weight').original0!, model.second.bias as tf.Variable];
    tf.tidy(
      () =>
        void optimizer.minimize(
          () => tf.sum(tf.add(tf.square(trained[0]!), tf.sum(trained[1]!))),
          false,
          trained,
        ),
    );
    const memory = new Memory();
    await saveCheckpoint(model, memory, { optimizer });
    const other = normed(new Forwards());
    const again = tf.train.adam(0.5, 0.8);
    const report = await loadCheckpoint(other, memory, { optimizer: again });
    expect(`\n${report.optimizer}`).toMatchInlineSnapshot(`
      "
      optimizer: the state of 2 parameters after 1 step
      optimizer, without state in the file: first.bias, first.parametrizations.weight.original1, second.weight
      optimizer, other options than in the file: beta1"
    `);
    minimize(again, () => tf.sum(other.call(tf.ones([1, 3]))) as tf.Scalar, other);
    dispose(model, optimizer, other, again);
  });

  it('is refused by another class, other groups and other models, which stay as they are', async () => {
    const model = normed(new Forwards());
    const optimizer = tf.train.adam(0.02);
    train(model, optimizer, 0, 1);
    const memory = new Memory();
    await saveCheckpoint(model, memory, { optimizer });
    const without = new Memory();
    await saveCheckpoint(model, without);
    const other = normed(new Forwards());
    const plain = new Forwards();
    const refusals: string[] = [];
    const tried = async (net: Net, own: tf.Optimizer, source: Memory): Promise<void> => {
      const before = numbersOf(net);
      const weights = own.getClassName() === 'Adam' ? await own.getWeights() : [];
      const error: unknown = await loadCheckpoint(net, source, { optimizer: own }).catch(
        (reason: unknown) => reason,
      );
      refusals.push(`${(error as { code: string }).code}: ${(error as Error).message}`);
      expect(numbersOf(net)).toEqual(before);
      if (weights.length > 0) {
        const after = await own.getWeights();
        expect(after.map(({ name }) => name)).toEqual(weights.map(({ name }) => name));
        tf.dispose([weights[0]!.tensor, after[0]!.tensor]);
      }
      disposeOptimizer(own);
    };
    await tried(other, tf.train.sgd(0.1), memory);
    await tried(
      other,
      groupOptimizer(other, [{ match: 'first', optimizer: tf.train.adam() }, { optimizer: tf.train.sgd(1) }]),
      memory,
    );
    await tried(other, tf.train.adam(), without);
    const started = tf.train.adam();
    train(plain, started, 0, 1);
    await tried(plain, started, memory);
    await tried(
      other,
      new (class extends tf.Optimizer {
        static readonly className = 'Own';
        override getClassName(): string {
          return 'Own';
        }
        override applyGradients(): void {}
        override getConfig(): tf.serialization.ConfigDict {
          return {};
        }
      })(),
      memory,
    );
    expect(refusals).toMatchInlineSnapshot(`
      [
        "OPTION: loadCheckpoint: the file has the state of the optimizer 'Adam', and optimizer is SGD. Pass an optimizer of the same class.",
        "OPTION: loadCheckpoint: the file has the state of 1 optimizer, and optimizer has 2. Pass an optimizer with the same groups.",
        "STATE_DICT: loadCheckpoint: the file has no state of an optimizer. Nothing was loaded. Save it with saveCheckpoint(model, target, { optimizer }), or load without it.",
        "STATE_DICT: loadCheckpoint: the optimizer of the file has state of variables that the optimizer of the model does not train: 'first.parametrizations.weight.original0', 'first.parametrizations.weight.original1'. Nothing was loaded. Parametrize the model as it was saved, pass a catalog, or pass strict: false to leave these out.",
        "OPTION: loadCheckpoint: Object is none of the optimizers of tfjs, so its state cannot be saved or loaded by paths. Pass one of tf.train, or one that clipGradients or groupOptimizer made of them.",
      ]
    `);
    const own = tf.train.adam();
    const { optimizer: report } = await loadCheckpoint(plain, memory, { optimizer: own, strict: false });
    expect(report!.unexpected).toEqual(
      ['original0', 'original1'].map((name) => `first.parametrizations.weight.${name}`),
    );
    expect(report!.missing).toEqual(['first.weight']);
    disposeOptimizer(own);
    dispose(model, optimizer, other, plain);
  });

  it('is refused if it is damaged', async () => {
    const model = normed(new Forwards());
    const optimizer = tf.train.adam(0.02);
    train(model, optimizer, 0, 1);
    const memory = new Memory();
    await saveCheckpoint(model, memory, { optimizer });
    const texts = memory.artifacts.userDefinedMetadata as Record<string, string>;
    const key = 'tfjs-parametrize.optimizer';
    const notes = JSON.parse(texts[key]!);
    const [note] = notes.optimizers;
    const before = numbersOf(model);
    const refusals: string[] = [];
    for (const damaged of [
      '{',
      '[]',
      { ...notes, version: 2 },
      { ...notes, iterations: -1 },
      { ...notes, optimizers: [{ ...note, keys: [1] }] },
      { ...notes, optimizers: [{ ...note, keys: [note.keys[0], note.keys[0]] }] },
      { ...notes, optimizers: [{ ...note, keys: [...note.keys, 'x'] }] },
      { ...notes, optimizers: [{ ...note, keys: [...note.keys].reverse() }] },
      { ...notes, optimizers: [{ ...note, slots: ['m', '__proto__'] }] },
      { ...notes, optimizers: [{ ...note, className: 'constructor' }] },
      { ...notes, optimizers: [{ ...note, counters: [] }] },
      { ...notes, optimizers: Array(2) },
    ]) {
      texts[key] = typeof damaged === 'string' ? damaged : JSON.stringify(damaged);
      const error: unknown = await loadCheckpoint(model, memory, { optimizer }).catch(
        (reason: unknown) => reason,
      );
      refusals.push(`${(error as { code: string }).code}: ${(error as { fact: string }).fact}`);
      expect(numbersOf(model)).toEqual(before);
    }
    expect(refusals).toMatchInlineSnapshot(`
      [
        "CORRUPT: the description of the optimizer is not JSON",
        "CORRUPT: the description of the optimizer is not an object",
        "UNSUPPORTED: the optimizer has the version 2, this package reads 1",
        "CORRUPT: the description of the optimizer lacks its parts",
        "CORRUPT: the description of the optimizer lacks its parts",
        "CORRUPT: a variable has state in an optimizer twice",
        "CORRUPT: the optimizer needs the tensor 'optimizer/0/m/5', which is not there",
        "CORRUPT: 'optimizer/0/m/0' of the optimizer is float32 [4], its variable has float32 [2]",
        "CORRUPT: the state of the optimizer 'Adam' has other parts than that class",
        "OPTION: the file has the state of the optimizer 'constructor', and optimizer is Adam",
        "CORRUPT: the state of the optimizer 'Adam' has other parts than that class",
        "CORRUPT: the description of the optimizer lacks its parts",
      ]
    `);
    dispose(model, optimizer);
  });

  it('is not saved for folded weights, nor for an optimizer with state of an unknown form', async () => {
    const model = new Forwards();
    const optimizer = tf.train.sgd(0.1);
    const refusalOf = (options: object): Promise<string> =>
      saveCheckpoint(model, new Memory(), options).then(String, String);
    expect([
      await refusalOf({ optimizer, keyFormat: 'folded' }),
      await refusalOf({ optimizer: {} }),
      await refusalOf({ optimizer: 'adam' }),
    ]).toMatchInlineSnapshot(`
      [
        "ParametrizeError: saveCheckpoint: the key format folded leaves out the originals that an optimizer has state of. Leave out one of keyFormat and optimizer.",
        "ParametrizeError: saveCheckpoint: Object is none of the optimizers of tfjs, so its state cannot be saved or loaded by paths. Pass one of tf.train, or one that clipGradients or groupOptimizer made of them.",
        "ParametrizeError: saveCheckpoint: string is none of the optimizers of tfjs, so its state cannot be saved or loaded by paths. Pass one of tf.train, or one that clipGradients or groupOptimizer made of them.",
      ]
    `);
    dispose(model, optimizer);
  });
});
