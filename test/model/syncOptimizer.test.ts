import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fold, syncOptimizer } from '../../src/model/index.ts';
import { Module, parameter } from '../../src/nn/index.ts';
import { symmetric, weightNorm } from '../../src/parametrizations/index.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../src/parametrize/index.ts';
import { Affine, numbers, RankOne, train, variableOf } from '../parametrize/fixtures.ts';
import { disposeOptimizer, optimizers } from '../parametrize/laws/specimens.ts';
import { failure } from '../parametrize/unchanged.ts';
import { flatten } from '../toBeAllClose.ts';

/** Two parameters of one shape: their moments could be mixed up without an error. */
class Two extends Module {
  weight: tf.Tensor = parameter(numbers(3, 3));
  other: tf.Tensor = parameter(numbers(3, 3));
  override forward(x: tf.Tensor): tf.Tensor {
    const y = tf.matMul(x as tf.Tensor2D, tf.mul(this.weight, 5) as tf.Tensor2D);
    return tf.matMul(y, tf.mul(this.other, 0.1) as tf.Tensor2D);
  }
}

const stateful = Object.keys(optimizers).filter((name) => name !== 'sgd');

/** The state of an optimizer as `name: numbers`. */
const stateOf = (optimizer: tf.Optimizer): Record<string, number[]> =>
  Object.fromEntries(
    Object.entries(optimizer)
      .filter(([field, slots]) => field.startsWith('accumulat') && Array.isArray(slots))
      .flatMap(([field, slots]) =>
        (slots as { originalName: string; variable: tf.Variable }[]).map(({ originalName, variable }) => [
          `${field} ${originalName}`,
          flatten(variable),
        ]),
      ),
  );

describe.each(Object.entries(optimizers))('syncOptimizer of %s', (_, make) => {
  it('goes on as if a registration and its removal had never been', () => {
    const [model, twin] = [new Two(), new Two()];
    const [optimizer, twins] = [make(), make()];
    for (let i = 0; i < 3; i++) {
      train(model, optimizer);
      train(twin, twins);
    }
    registerParametrization(model, 'weight', { forward: (x) => tf.mul(x, 1), rightInverse: (x) => x });
    syncOptimizer(optimizer, model.parameters());
    for (let i = 0; i < 3; i++) {
      train(model, optimizer);
      train(twin, twins);
    }
    removeParametrizations(model, 'weight');
    syncOptimizer(optimizer, model.parameters());
    for (let i = 0; i < 3; i++) {
      train(model, optimizer);
      train(twin, twins);
    }
    expect(variableOf(model)).toBeAllClose(variableOf(twin));
    expect(variableOf(model, 'other')).toBeAllClose(variableOf(twin, 'other'));
    disposeOptimizer(optimizer);
    disposeOptimizer(twins);
    model.dispose();
    twin.dispose();
  });

  it('before the first step does nothing', () => {
    const model = new Two();
    const optimizer = make();
    const { numTensors } = tf.memory();
    syncOptimizer(optimizer, model.parameters());
    expect(tf.memory().numTensors).toBe(numTensors);
    train(model, optimizer);
    disposeOptimizer(optimizer);
    model.dispose();
  });

  it('on an unchanged list changes nothing', () => {
    const model = new Two();
    const optimizer = make();
    train(model, optimizer);
    const { numTensors } = tf.memory();
    const before = stateOf(optimizer);
    syncOptimizer(optimizer, model.parameters());
    syncOptimizer(optimizer, model.parameters());
    expect(stateOf(optimizer)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
    disposeOptimizer(optimizer);
    model.dispose();
  });

  it('frees the state of what has vanished and starts what is new as on a first step', () => {
    const model = new Two();
    const optimizer = make();
    train(model, optimizer);
    const { numTensors } = tf.memory();
    registerParametrization(model, 'weight', new RankOne());
    syncOptimizer(optimizer, model.parameters());
    fold(model);
    syncOptimizer(optimizer, model.parameters());
    expect(tf.memory().numTensors).toBe(numTensors);
    const fresh = new Two();
    const unused = make();
    train(fresh, unused);
    train(model, optimizer);
    disposeOptimizer(unused);
    disposeOptimizer(optimizer);
    fresh.dispose();
    model.dispose();
  });
});

describe.each(stateful)('the state of %s', (name) => {
  it('follows its variable, wherever it moves', () => {
    const model = new Two();
    const optimizer = optimizers[name]!();
    for (let i = 0; i < 2; i++) train(model, optimizer);
    const before = stateOf(optimizer);
    expect(Object.keys(before).length).toBeGreaterThan(1);
    const { name: other } = variableOf(model, 'other');
    symmetric(model);
    syncOptimizer(optimizer, model.parameters());
    const after = stateOf(optimizer);
    expect(after).toEqual(before);
    expect(Object.keys(after)[0]).toContain(`${other}/`);
    weightNorm(model, 'other');
    syncOptimizer(optimizer, model.parameters());
    const moved = stateOf(optimizer);
    for (const [slot, numbersOfSlot] of Object.entries(before)) expect(moved[slot]).toEqual(numbersOfSlot);
    const { g } = parametrizationsOn(model, 'other');
    const ofG = Object.entries(moved).filter(([slot]) => slot.includes(g!.name));
    expect(ofG.length).toBeGreaterThan(0);
    for (const [, values] of ofG) {
      expect(values).toHaveLength(3);
      // 0, or what adagrad starts with.
      expect(new Set(values).size).toBe(1);
    }
    disposeOptimizer(optimizer);
    model.dispose();
  });
});

describe('syncOptimizer', () => {
  it('keeps the state of frozen variables, and of a list in another order', () => {
    const model = new Two();
    const optimizer = tf.train.adam(0.1);
    train(model, optimizer);
    const before = stateOf(optimizer);
    variableOf(model).trainable = false;
    syncOptimizer(optimizer, model.parameters().reverse());
    expect(stateOf(optimizer)).toEqual(before);
    expect(Object.keys(stateOf(optimizer))).not.toEqual(Object.keys(before));
    disposeOptimizer(optimizer);
    model.dispose();
  });

  it('starts a variable anew that has another shape under the same name', () => {
    const optimizer = tf.train.momentum(0.1, 0.9);
    const host = new Affine();
    train(host, optimizer);
    const { name } = variableOf(host);
    registerParametrization(host, 'weight', (x) => tf.slice(x, 1), { unsafe: true });
    removeParametrizations(host, 'weight');
    expect(variableOf(host).name).toBe(name);
    syncOptimizer(optimizer, host.parameters());
    expect(stateOf(optimizer)[`accumulations ${name}/momentum`]).toEqual([0, 0, 0, 0, 0, 0]);
    disposeOptimizer(optimizer);
    host.dispose();
  });

  it('refuses what is no optimizer of tfjs, and lists that make no sense', () => {
    const host = new Affine();
    const sgd = tf.train.sgd(0.1);
    const refused: [unknown, unknown][] = [
      [null, host.parameters()],
      [{}, host.parameters()],
      [{ applyGradients: () => {}, getClassName: () => 'Mine' }, host.parameters()],
      [sgd, host],
      [sgd, [host.weight, 3]],
      [sgd, undefined],
      [sgd, [host.weight, host.bias, host.weight]],
    ];
    const messages = refused.map(([optimizer, variables]) =>
      failure(() => syncOptimizer(optimizer as tf.Optimizer, variables as tf.Variable[]), host),
    );
    const { name } = variableOf(host);
    expect(messages.map((message) => message.replace(`'${name}'`, "'…'"))).toMatchInlineSnapshot(`
      [
        "OPTION: syncOptimizer: null is none of the optimizers of tfjs, so its state cannot be moved. Make a new one.",
        "OPTION: syncOptimizer: Object is none of the optimizers of tfjs, so its state cannot be moved. Make a new one.",
        "OPTION: syncOptimizer: Object is none of the optimizers of tfjs, so its state cannot be moved. Make a new one.",
        "OPTION: syncOptimizer: expected an array of variables, such as model.parameters().",
        "OPTION: syncOptimizer: expected an array of variables, such as model.parameters().",
        "OPTION: syncOptimizer: expected an array of variables, such as model.parameters().",
        "OPTION: syncOptimizer: the variable '…' stands in the list twice.",
      ]
    `);
    sgd.dispose();
    host.dispose();
  });

  it('refuses a variable that is gone, and changes nothing', () => {
    const model = new Two();
    const optimizer = tf.train.adam(0.1);
    weightNorm(model);
    const stale = model.parameters();
    train(model, optimizer);
    fold(model);
    const before = stateOf(optimizer);
    expect(failure(() => syncOptimizer(optimizer, stale), model)).toMatch(
      /^DISPOSED: syncOptimizer: the variable '/,
    );
    expect(stateOf(optimizer)).toEqual(before);
    disposeOptimizer(optimizer);
    model.dispose();
  });
});
