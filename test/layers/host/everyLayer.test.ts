import * as tf from '@tensorflow/tfjs';
import {
  isParametrized,
  parametrizationsOn,
  removeParametrizations,
  syncOptimizer,
  unitNorm,
  valueOf,
  weightNorm,
} from 'tfjs-parametrize';
import { syncModel } from 'tfjs-parametrize/layers';
import { describe, expect, it } from 'vitest';
import { normsOf } from '../../parametrizations/constraintCases.ts';
import { flatten } from '../../toBeAllClose.ts';
import {
  at,
  dataOf,
  disposeModel,
  layerCases,
  layerOf,
  modelOf,
  trainable,
  untrainable,
  weightAt,
} from '../layerCases.ts';

const optimizers: [string, () => tf.Optimizer][] = [
  ['sgd', () => tf.train.sgd(0.02)],
  ['momentum', () => tf.train.momentum(0.005, 0.8)],
  ['adam', () => tf.train.adam(0.01)],
];

describe.each(Object.entries(layerCases))('%s', (_, layerCase) => {
  it('predicts the same after registration, with one norm for each output', () => {
    const model = modelOf(layerCase);
    const { x, y } = dataOf(layerCase);
    const before = model.predict(x) as tf.Tensor;
    layerCase.kernels.forEach((path, i) => {
      const { host, name } = at(layerOf(model), path);
      const weight = weightAt(layerOf(model), path);
      const { shape } = weight;
      weightNorm(host, name as never);
      expect(weightAt(layerOf(model), path)).toBe(weight);
      const wanted = shape.map((size, axis) => (layerCase.outputAxes[i]!.includes(axis) ? size : 1));
      expect(parametrizationsOn(host, name).g!.shape).toEqual(wanted);
    });
    const after = model.predict(x) as tf.Tensor;
    if (!(layerCase.isWrongOnWasm && tf.getBackend() === 'wasm')) {
      expect(after).toBeAllClose(before, { absolute: 1e-6 });
    }
    disposeModel(model);
    tf.dispose([x, y, before, after]);
  });

  it('has everything back after removal: objects, names, order, keys, values', () => {
    const model = modelOf(layerCase);
    const layer = layerOf(model);
    const weights = model.weights.map((weight) => ({
      weight,
      name: weight.name,
      saved: weight.originalName,
      variable: weight.read(),
    }));
    const values = tf.tidy(() => model.getWeights().map(flatten));
    const keys = layerCase.kernels.map((path) => {
      const { host, name } = at(layer, path);
      return [
        Reflect.ownKeys(host),
        Reflect.ownKeys(weightAt(layer, path)),
        Object.getOwnPropertyDescriptor(host, name),
      ];
    });
    const params = model.countParams();
    const { numTensors } = tf.memory();
    for (const path of layerCase.kernels) {
      const { host, name } = at(layer, path);
      weightNorm(host, name as never);
    }
    expect(model.weights.length).toBe(weights.length + layerCase.kernels.length);
    for (const path of layerCase.kernels) {
      const { host, name } = at(layer, path);
      removeParametrizations(host, name);
      expect(isParametrized(host, name)).toBe(false);
    }
    expect(model.weights.length).toBe(weights.length);
    model.weights.forEach((weight, i) => {
      const before = weights[i]!;
      expect(weight).toBe(before.weight);
      expect(weight.name).toBe(before.name);
      expect(weight.originalName).toBe(before.saved);
      expect(weight.read()).toBe(before.variable);
      expect(weight.read()).toBeAllClose(values[i]!, { absolute: 1e-6 });
    });
    layerCase.kernels.forEach((path, i) => {
      const { host, name } = at(layer, path);
      expect([
        Reflect.ownKeys(host),
        Reflect.ownKeys(weightAt(layer, path)),
        Object.getOwnPropertyDescriptor(host, name),
      ]).toEqual(keys[i]);
    });
    expect(model.countParams()).toBe(params);
    expect(tf.memory().numTensors).toBe(numTensors);
    disposeModel(model);
  });
});

describe.each(trainable)('%s', (_, layerCase) => {
  it.each(optimizers)('trains with %s: the loss falls and every original moves', async (__, make) => {
    const model = modelOf(layerCase);
    const { x, y } = dataOf(layerCase);
    const originals = layerCase.kernels.flatMap((path) => {
      const { host, name } = at(layerOf(model), path);
      weightNorm(host, name as never);
      const { g, v } = parametrizationsOn(host, name);
      return [g!, v!];
    });
    const before = originals.map(flatten);
    model.compile({ optimizer: make(), loss: 'meanSquaredError' });
    const { history } = await model.fit(x, y, { epochs: 12, batchSize: 8, shuffle: false, verbose: 0 });
    const loss = history['loss'] as number[];
    expect(loss.at(-1)!).toBeLessThan(loss[0]!);
    originals.forEach((original, i) => {
      const change = Math.max(...flatten(original).map((value, j) => Math.abs(value - before[i]![j]!)));
      const isDirection = i % 2 === 1;
      if (!(layerCase.isVector && isDirection)) expect(change).toBeGreaterThan(1e-7);
    });
    disposeModel(model);
    tf.dispose([x, y]);
  });

  it('has the gradients of the closed form', () => {
    const model = modelOf(layerCase);
    const { x, y } = dataOf(layerCase);
    tf.tidy(() => {
      const loss = (): tf.Scalar =>
        tf.losses.meanSquaredError(y, model.apply(x, { training: true }) as tf.Tensor);
      const plain = layerCase.kernels.map((path) => weightAt(layerOf(model), path).read() as tf.Variable);
      const { grads: dW } = tf.variableGrads(loss, plain);
      layerCase.kernels.forEach((path, i) => {
        const { host, name } = at(layerOf(model), path);
        const W = tf.clone(plain[i]! as tf.Tensor);
        const gradient = dW[plain[i]!.name]!;
        weightNorm(host, name as never);
        const { g, v } = parametrizationsOn(host, name);
        const { grads } = tf.variableGrads(loss, [g!, v!]);
        const axes = W.shape
          .map((__, axis) => axis)
          .filter((axis) => !layerCase.outputAxes[i]!.includes(axis));
        const u = tf.div(W, tf.sqrt(tf.sum(tf.square(W), axes, true)));
        const dg = tf.sum(tf.mul(gradient, u), axes, true);
        const scale = tf.max(tf.abs(gradient)).dataSync()[0]!;
        expect(grads[g!.name]).toBeAllClose(dg, { absolute: 1e-5 * (1 + scale), relative: 1e-4 });
        // ‖v‖ = g at registration.
        expect(grads[v!.name]).toBeAllClose(tf.sub(gradient, tf.mul(u, dg)), {
          absolute: 1e-5 * (1 + scale),
          relative: 1e-4,
        });
      });
    });
    disposeModel(model);
    tf.dispose([x, y]);
  });

  // The twin is trained by hand. Its optimizer never has anything to move: directions stay where the kernels were in the
  // list of variables, and the lengths come last.
  it.each(optimizers)('goes on after a registration in the middle of %s as a twin', async (__, make) => {
    const [model, twin] = [modelOf(layerCase), modelOf(layerCase)];
    const { x, y } = dataOf(layerCase);
    const registerOn = (target: tf.Sequential): tf.Variable[] =>
      layerCase.kernels.map((path) => {
        const { host, name } = at(layerOf(target), path);
        weightNorm(host, name as never);
        return parametrizationsOn(host, name).g!;
      });
    const optimizer = make();
    const step = (variables: tf.Variable[]): void => {
      const loss = (): tf.Scalar =>
        tf.losses.meanSquaredError(y, twin.apply(x, { training: true }) as tf.Tensor);
      optimizer.minimize(loss, false, variables);
    };
    model.compile({ optimizer: make(), loss: 'meanSquaredError' });
    const train = (): Promise<unknown> =>
      model.fit(x, y, { epochs: 3, batchSize: 8, shuffle: false, verbose: 0 });
    const variables = twin.trainableWeights.map((weight) => weight.read() as tf.Variable);
    await train();
    for (let i = 0; i < 3; i++) step(variables);
    registerOn(model);
    syncModel(model);
    const lengths = registerOn(twin);
    syncOptimizer(optimizer, [...variables, ...lengths]);
    await train();
    for (let i = 0; i < 3; i++) step([...variables, ...lengths]);
    tf.tidy(() => {
      const wanted = twin.getWeights();
      model.getWeights().forEach((weight, i) => {
        expect(weight).toBeAllClose(wanted[i]!, { absolute: 2e-5, relative: 1e-3 });
      });
    });
    disposeModel(model);
    optimizer.dispose();
    (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
    disposeModel(twin);
    tf.dispose([x, y]);
  });

  it('leaks nothing over 50 epochs with validation, evaluate and predict; the constraint holds', async () => {
    const model = modelOf(layerCase);
    const { x, y } = dataOf(layerCase);
    for (const path of layerCase.kernels) {
      const { host, name } = at(layerOf(model), path);
      unitNorm(host, name as never, { axis: 0 });
    }
    model.compile({ optimizer: tf.train.adam(0.01), loss: 'meanSquaredError' });
    const train = async (epochs: number): Promise<void> => {
      await model.fit(x, y, { epochs, batchSize: 4, validationSplit: 0.25, verbose: 0 });
      tf.dispose(model.evaluate(x, y));
      tf.dispose(model.predict(x));
    };
    await train(1);
    const { numTensors } = tf.memory();
    await train(50);
    expect(tf.memory().numTensors).toBe(numTensors);
    for (const path of layerCase.kernels) {
      const { host, name } = at(layerOf(model), path);
      for (const norm of normsOf(valueOf(host, name), [0])) expect(Math.abs(norm - 1)).toBeLessThan(1e-5);
      expect(weightAt(layerOf(model), path).read()).toBe(valueOf(host, name));
    }
    disposeModel(model);
    tf.dispose([x, y]);
  });
});

describe.runIf(untrainable.length > 0).each(untrainable)('%s', (_, __, missing) => {
  it(`is not trained here: tfjs lacks ${missing} or its gradient`, () => {
    const isThere =
      tf.getKernel(missing, tf.getBackend()) !== undefined && tf.getGradient(missing) !== undefined;
    expect(isThere).toBe(false);
  });
});
