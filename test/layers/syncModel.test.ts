import * as tf from '@tensorflow/tfjs';
import {
  fold,
  nn,
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  spectralNorm,
  unitNorm,
  weightNorm,
} from 'tfjs-parametrize';
import { syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { optimizers } from '../parametrize/laws/specimens.ts';
import { flatten } from '../toBeAllClose.ts';
import { disposeModel, setNumbers } from './layerCases.ts';

/** `W = X · scale`, with the scale trained. */
class Scaled extends Parametrization {
  scale: tf.Tensor = nn.parameter(() => tf.scalar(1));

  override forward(X: tf.Tensor): tf.Tensor {
    return tf.mul(X, this.scale);
  }

  override rightInverse(W: tf.Tensor): tf.Tensor {
    return tf.div(W, this.scale);
  }

  override isPure(): boolean {
    return true;
  }
}

const x = (): tf.Tensor => tf.randomNormal([8, 4], 0, 1, 'float32', 1);
const y = (): tf.Tensor => tf.randomNormal([8, 2], 0, 1, 'float32', 2);

function makeModel(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 3, inputShape: [4], activation: 'tanh' }),
      tf.layers.dense({ units: 2 }),
    ],
  });
  setNumbers(model, 1);
  return model;
}

const variablesOf = (model: tf.LayersModel): tf.Variable[] =>
  model.trainableWeights.map((weight) => weight.read() as tf.Variable);

describe('a forgotten syncModel', () => {
  const forgotten = 'Call syncModel(model).';

  it.each([
    ['fit', (model: tf.Sequential, a: tf.Tensor, b: tf.Tensor) => model.fit(a, b, { verbose: 0 })],
    ['trainOnBatch', (model: tf.Sequential, a: tf.Tensor, b: tf.Tensor) => model.trainOnBatch(a, b)],
    [
      'fitDataset',
      (model: tf.Sequential, a: tf.Tensor, b: tf.Tensor) =>
        model.fitDataset(tf.data.array([{ xs: a, ys: b }]), { epochs: 1, verbose: 0 }),
    ],
  ])('is an error of %s that changes nothing', async (_, train) => {
    const model = makeModel();
    const [a, b] = [x(), y()];
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    weightNorm(model.layers[0]!);
    const before = variablesOf(model).map(flatten);
    const { numTensors } = tf.memory();
    await expect(train(model, a, b)).rejects.toMatchObject({
      code: 'NOT_SYNCED',
      message: expect.stringContaining(forgotten),
    });
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(variablesOf(model).map(flatten)).toEqual(before);
    syncModel(model);
    await model.fit(a, b, { verbose: 0 });
    removeParametrizations(model.layers[0]!, 'kernel');
    await expect(train(model, a, b)).rejects.toMatchObject({ code: 'NOT_SYNCED' });
    model.compile({ optimizer: model.optimizer, loss: 'meanSquaredError' });
    disposeModel(model);
    tf.dispose([a, b]);
  });

  it('is none where the model was compiled after, or nothing was registered', async () => {
    const model = makeModel();
    const [a, b] = [x(), y()];
    weightNorm(model.layers[0]!);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.fit(a, b, { verbose: 0 });
    const plain = makeModel();
    plain.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await plain.fit(a, b, { verbose: 0 });
    // A second parametrization with nothing to train needs no sync either.
    unitNorm(model.layers[0]!, 'kernel');
    await model.fit(a, b, { verbose: 0 });
    disposeModel(model);
    disposeModel(plain);
    tf.dispose([a, b]);
  });

  it('is found where a further parametrization brings parameters, which sync then trains', async () => {
    const model = makeModel();
    const [a, b] = [x(), y()];
    const layer = model.layers[0]!;
    weightNorm(layer);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const map = new Scaled();
    registerParametrization(layer as tf.layers.Layer, 'kernel', map);
    await expect(model.fit(a, b, { verbose: 0 })).rejects.toMatchObject({ code: 'NOT_SYNCED' });
    syncModel(model);
    await model.fit(a, b, { epochs: 3, verbose: 0 });
    expect(flatten(map.scale)[0]).not.toBe(1);
    expect(layer.weights.map((weight) => weight.originalName.replace(/^.*\//, ''))).toEqual([
      'original0',
      'original1',
      '1.scale',
      'bias',
    ]);
    disposeModel(model);
    tf.dispose([a, b]);
  });

  it('is found where an original is parametrized', async () => {
    const model = makeModel();
    const [a, b] = [x(), y()];
    const layer = model.layers[0]!;
    weightNorm(layer);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const map = new Scaled();
    registerParametrization(parametrizationsOn(layer, 'kernel'), 'original0', map);
    await expect(model.fit(a, b, { verbose: 0 })).rejects.toMatchObject({ code: 'NOT_SYNCED' });
    syncModel(model);
    const { numTensors } = tf.memory();
    await model.fit(a, b, { epochs: 2, verbose: 0 });
    expect(tf.memory().numTensors).toBe(numTensors);
    fold(model);
    syncModel(model);
    await model.fit(a, b, { epochs: 1, verbose: 0 });
    map.dispose();
    disposeModel(model);
    tf.dispose([a, b]);
  });
});

describe.each(Object.entries(optimizers))('training with %s', (_, make) => {
  // The twin is a program of variables and operations, whose optimizer never had anything to move: v stays where the kernel
  // was in the list of variables, and the lengths come last.
  it('goes on after a registration and a removal as in a twin', async () => {
    const model = makeModel();
    const [a, b] = [x(), y()];
    const start = tf.tidy(() => model.getWeights().map((weight) => [flatten(weight), weight.shape] as const));
    const [kernel, bias, kernel2, bias2] = start.map(([values, shape]) =>
      tf.tidy(() => tf.variable(tf.tensor(values, shape))),
    );
    const twinOptimizer = make();
    const step = (weight: () => tf.Tensor, variables: tf.Variable[]): void =>
      tf.tidy(() => {
        const loss = (): tf.Scalar => {
          const hidden = tf.tanh(tf.add(tf.matMul(a as tf.Tensor2D, weight() as tf.Tensor2D), bias!));
          const output = tf.add(tf.matMul(hidden as tf.Tensor2D, kernel2 as unknown as tf.Tensor2D), bias2!);
          return tf.mean(tf.square(tf.sub(b, output)));
        };
        twinOptimizer.minimize(loss, false, variables);
      });
    const plain = [kernel!, bias!, kernel2!, bias2!];
    model.compile({ optimizer: make(), loss: 'meanSquaredError' });
    const train = () => model.fit(a, b, { epochs: 4, batchSize: 8, shuffle: false, verbose: 0 });

    await train();
    for (let i = 0; i < 4; i++) step(() => kernel!, plain);
    const layer = model.layers[0]!;
    weightNorm(layer);
    syncModel(model);
    const lengths = (v: tf.Tensor): tf.Tensor => tf.sqrt(tf.sum(tf.square(v), 0, true));
    const g = tf.tidy(() => tf.variable(lengths(kernel!)));
    const normalized = (): tf.Tensor => tf.mul(g, tf.div(kernel!, lengths(kernel!)));

    await train();
    for (let i = 0; i < 4; i++) step(normalized, [...plain, g]);
    const close = { absolute: 2e-5, relative: 1e-3 };
    const list = parametrizationsOn(layer, 'kernel');
    expect(list.v).toBeAllClose(kernel!, close);
    expect(list.g).toBeAllClose(g, close);
    expect(fold(model)).toEqual([`${layer.name}.kernel`]);
    syncModel(model);
    tf.tidy(() => kernel!.assign(normalized()));

    await train();
    for (let i = 0; i < 4; i++) step(() => kernel!, plain);
    tf.tidy(() => {
      model.getWeights().forEach((weight, i) => {
        expect(weight).toBeAllClose(plain[i]!, close);
      });
    });
    disposeModel(model);
    twinOptimizer.dispose();
    (twinOptimizer as unknown as { c?: tf.Tensor }).c?.dispose();
    tf.dispose([a, b, g, ...plain]);
  });
});

describe('an optimizer', () => {
  it.each(Object.keys(optimizers))(
    'that a model is compiled with again keeps the state of the weights that stay: %s',
    async (name) => {
      const [a, b] = [x(), y()];
      const run = async (again: boolean): Promise<number[][]> => {
        const model = makeModel();
        const optimizer = optimizers[name]!();
        const compile = (): void => model.compile({ optimizer, loss: 'meanSquaredError' });
        const train = () => model.fit(a, b, { epochs: 3, batchSize: 8, shuffle: false, verbose: 0 });
        compile();
        await train();
        for (const change of [() => weightNorm(model.layers[0]!), () => fold(model)]) {
          change();
          if (again) compile();
          else syncModel(model);
          await train();
        }
        const values = tf.tidy(() => model.getWeights().map(flatten));
        disposeModel(model);
        return values;
      };
      expect(await run(true)).toBeAllClose(await run(false));
      tf.dispose([a, b]);
    },
  );

  it('whose restored state does not fit the weights refuses to train, and one whose state fits goes on', async () => {
    const [a, b] = [x(), y()];
    const [model, other] = [makeModel(), makeModel()];
    const compile = (one: tf.Sequential): void =>
      one.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    compile(model);
    await model.trainOnBatch(a, b);
    const saved = await model.optimizer.getWeights();
    compile(other);
    await other.optimizer.setWeights(saved);
    // Restored before, so that it is the state of the plain weights.
    weightNorm(other.layers[0]!);
    syncModel(other);
    await other.trainOnBatch(a, b);
    other.optimizer.dispose();
    compile(other);
    await other.optimizer.setWeights(saved);
    await expect(other.trainOnBatch(a, b)).rejects.toMatchObject({ code: 'NOT_SYNCED' });
    saved[0]!.tensor.dispose();
    for (const one of [model, other]) disposeModel(one);
    tf.dispose([a, b]);
  });
});

describe('syncModel', () => {
  it('does nothing to a model that is not compiled, or that has not changed', () => {
    const model = makeModel();
    expect(syncModel(model)).toBe(model);
    weightNorm(model.layers[0]!);
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    const collected = [...collectedOf(model)];
    syncModel(model);
    expect(collectedOf(model)).toEqual(collected);
    disposeModel(model);
  });

  it('keeps to what the model was compiled to train', async () => {
    // A generator and a discriminator: the combined model was compiled while the discriminator was frozen.
    const discriminator = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });
    const generator = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    discriminator.trainable = false;
    const combined = tf.sequential({ layers: [generator, discriminator] });
    combined.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    discriminator.trainable = true;
    discriminator.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
    spectralNorm(discriminator.layers[0]!);
    weightNorm(generator.layers[0]!);
    syncModel(combined);
    syncModel(discriminator);
    const before = flatten(parametrizationsOn(discriminator.layers[0]!, 'kernel').original!);
    const input = tf.randomNormal([4, 3], 0, 1, 'float32', 1);
    const target = tf.ones([4, 1]);
    await combined.fit(input, target, { verbose: 0 });
    expect(flatten(parametrizationsOn(discriminator.layers[0]!, 'kernel').original!)).toEqual(before);
    const real = tf.randomNormal([4, 2], 0, 1, 'float32', 1);
    await discriminator.fit(real, target, { verbose: 0 });
    expect(flatten(parametrizationsOn(discriminator.layers[0]!, 'kernel').original!)).not.toEqual(before);
    combined.optimizer.dispose();
    disposeModel(discriminator);
    combined.dispose();
    tf.dispose([input, target, real]);
  });

  it('refuses what is no model, naming the function for other hosts', () => {
    expect(() => syncModel({} as never)).toThrow('call syncOptimizer');
    const layer = tf.layers.dense({ units: 1 });
    expect(() => syncModel(layer as never)).toThrow('expected a model of tf.layers, got Dense');
  });
});

describe('a dilated convolution', () => {
  it('predicts and registers; training names the layer and the remedy', async () => {
    const conv = tf.layers.conv1d({
      filters: 2,
      kernelSize: 2,
      dilationRate: 2,
      inputShape: [6, 1],
      name: 'causal',
    });
    const model = tf.sequential({ layers: [conv, tf.layers.flatten(), tf.layers.dense({ units: 1 })] });
    const [a, b] = [tf.ones([2, 6, 1]), tf.ones([2, 1])];
    const before = model.predict(a) as tf.Tensor;
    weightNorm(conv);
    const after = model.predict(a) as tf.Tensor;
    expect(after).toBeAllClose(before);
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { numTensors } = tf.memory();
    await expect(model.trainOnBatch(a, b)).rejects.toMatchObject({
      code: 'NO_GRADIENTS',
      message: expect.stringContaining("'causal' has a dilationRate above 1"),
    });
    expect(tf.memory().numTensors).toBe(numTensors);
    disposeModel(model);
    tf.dispose([a, b, before, after]);
  });
});

const collectedOf = (model: tf.Sequential): unknown[] =>
  (model as unknown as { model: { collectedTrainableWeights: unknown[] } }).model.collectedTrainableWeights;
