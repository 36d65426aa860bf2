import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clipGradients,
  minimize,
  nn,
  removeParametrizations,
  syncOptimizer,
  weightNorm,
} from '../../../src/index.ts';
import { syncModel } from '../../../src/layers/index.ts';
import { disposeModel, setNumbers } from '../../layers/layerCases.ts';
import { disposeOptimizer, optimizers } from '../../parametrize/laws/specimens.ts';
import { failure } from '../../parametrize/unchanged.ts';
import { flatten } from '../../toBeAllClose.ts';

const lossOf = (layer: nn.Linear) => (): tf.Scalar =>
  tf.mul(20, tf.losses.meanSquaredError(tf.ones([4, 2]), layer.call(tf.fill([4, 3], 0.7)))) as tf.Scalar;

const numbers = (layer: nn.Linear): number[][] => layer.parameters().map((variable) => flatten(variable));

/** One step of the definition: gradients clipped by hand, handed to a plain optimizer. */
function stepByHand(
  optimizer: tf.Optimizer,
  layer: nn.Linear,
  options: { norm?: number; value?: number },
): void {
  tf.tidy(() => {
    const variables = layer.parameters();
    const { grads } = tf.variableGrads(lossOf(layer), variables);
    const total = Math.hypot(...variables.flatMap(({ name }) => flatten(grads[name]!)));
    const { norm, value } = options;
    const clip = (x: number): number =>
      norm === undefined ? Math.max(-value!, Math.min(value!, x)) : x * Math.min(1, norm / (total + 1e-6));
    optimizer.applyGradients(
      variables.map(({ name, shape }) => ({
        name,
        tensor: tf.tensor(flatten(grads[name]!).map(clip), shape),
      })),
    );
  });
}

describe('clipGradients', () => {
  it('makes the steps of the optimizer with gradients clipped by hand, for every optimizer and limit', () => {
    const programs = fc.record({
      name: fc.constantFrom(...Object.keys(optimizers)),
      kind: fc.constantFrom('norm', 'value'),
      limit: fc.constantFrom(0.01, 0.3, 5, 1000),
      isNormed: fc.boolean(),
    });
    fc.assert(
      fc.property(programs, ({ name, kind, limit, isNormed }) => {
        nn.manualSeed(3);
        const layer = new nn.Linear(3, 2);
        if (isNormed) weightNorm(layer);
        const twin = layer.clone();
        const options = { [kind]: limit };
        const inner = optimizers[name]!();
        const clipped = clipGradients(inner, options);
        const plain = optimizers[name]!();
        for (let i = 0; i < 3; i++) {
          clipped.minimize(lossOf(layer), false, layer.parameters());
          stepByHand(plain, twin, options);
        }
        numbers(layer).forEach((values, i) => {
          expect(values).toBeAllClose(numbers(twin)[i]!, { relative: 1e-3, absolute: 1e-5 });
        });
        clipped.dispose();
        (inner as unknown as { c?: tf.Tensor }).c?.dispose();
        disposeOptimizer(plain);
        layer.dispose();
        twin.dispose();
      }),
      { numRuns: 30 },
    );
  });

  it('moves the state of its optimizer with minimize and syncOptimizer, and refuses a step without', () => {
    const layer = new nn.Linear(3, 2);
    const adam = tf.train.adam(0.1);
    const clipped = clipGradients(adam, { norm: 1 });
    minimize(clipped, lossOf(layer), layer);
    weightNorm(layer);
    const before = numbers(layer);
    const { numTensors } = tf.memory();
    expect(failure(() => clipped.minimize(lossOf(layer), false, layer.parameters()))).toMatch(/^NOT_SYNCED/);
    expect(numbers(layer)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
    syncOptimizer(clipped, layer.parameters());
    clipped.minimize(lossOf(layer), false, layer.parameters());
    expect(numbers(layer)).not.toEqual(before);
    removeParametrizations(layer, 'weight');
    minimize(clipped, lossOf(layer), layer);
    clipped.dispose();
    layer.dispose();
  });

  it('trains in fit, and saves and restores the optimizer inside', async () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [3] })] });
    setNumbers(model, 1);
    const adam = tf.train.adam(0.1);
    const clipped = clipGradients(adam, { norm: 1e-3 });
    model.compile({ optimizer: clipped, loss: 'meanSquaredError' });
    const [x, y] = [tf.ones([4, 3]), tf.ones([4, 2])];
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    weightNorm(model.layers[0]! as never, 'kernel');
    await expect(model.fit(x, y, { epochs: 1, verbose: 0 })).rejects.toThrow('syncModel');
    syncModel(model);
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    removeParametrizations(model.layers[0]! as never, 'kernel');
    syncModel(model);
    expect([clipped.getClassName(), clipped.getConfig()]).toEqual([adam.getClassName(), adam.getConfig()]);
    const [saved, loaded] = [await clipped.getWeights(), clipGradients(tf.train.adam(0.1), { norm: 1 })];
    const copies = saved.map(({ name, tensor }) => ({ name, tensor: tf.clone(tensor) }));
    await loaded.setWeights(copies);
    const again = await loaded.getWeights();
    expect(again.map(({ name }) => name)).toEqual(saved.map(({ name }) => name));
    saved.forEach(({ tensor }, i) => {
      expect(again[i]!.tensor).toBeAllClose(tensor);
    });
    loaded.dispose();
    tf.dispose([saved, again].map(([iterations]) => iterations!.tensor));
    tf.dispose(copies.map(({ tensor }) => tensor));
    disposeModel(model);
    clipped.dispose();
    tf.dispose([x, y]);
  });

  it('shows and sets the learning rate of its optimizer, and can be nested', () => {
    const sgd = tf.train.sgd(0.5);
    const inner = clipGradients(sgd, { value: 0.25 });
    const outer = clipGradients(inner, { norm: 100 }) as tf.Optimizer & { learningRate: number };
    expect(outer.learningRate).toBe(0.5);
    outer.learningRate = 1;
    expect((sgd as unknown as { learningRate: number }).learningRate).toBe(1);
    const w = tf.tidy(() => tf.variable(tf.tensor1d([0, 0])));
    outer.minimize(() => tf.sum(tf.mul(w, [8, -0.125])), false, [w]);
    expect(w).toBeAllClose([-0.25, 0.125]);
    outer.minimize(() => tf.sum(tf.mul(w, [8, -0.125])));
    expect(w).toBeAllClose([-0.5, 0.25]);
    const cost = outer.minimize(() => tf.sum(w), true, [w])!;
    expect(cost).toBeAllClose(-0.25);
    tf.dispose([w, cost]);
    outer.dispose();
  });

  it('refuses what is no optimizer, and anything but one positive limit', () => {
    const sgd = tf.train.sgd(1);
    const code = (run: () => unknown): string => failure(run).split(':')[0]!;
    expect(code(() => clipGradients({} as never, { norm: 1 }))).toBe('OPTION');
    expect(code(() => clipGradients(null as never, { norm: 1 }))).toBe('OPTION');
    expect(code(() => clipGradients(sgd, {}))).toBe('OPTION');
    expect(code(() => clipGradients(sgd, { norm: 1, value: 1 }))).toBe('OPTION');
    expect(code(() => clipGradients(sgd, { maxNorm: 1 } as never))).toBe('OPTION');
    for (const norm of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1' as never]) {
      expect(code(() => clipGradients(sgd, { norm }))).toBe('OPTION');
    }
    sgd.dispose();
  });
});
