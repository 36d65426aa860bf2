import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import {
  fold,
  minimize,
  type nn,
  parametrizationsOn,
  removeParametrizations,
  syncOptimizer,
  weightNorm,
} from '../../src/index.ts';
import { syncModel } from '../../src/layers/index.ts';
import { disposeModel } from '../layers/layerCases.ts';
import { losses } from '../parametrize/laws/losses.ts';
import { disposeOptimizer, Net, optimizers } from '../parametrize/laws/specimens.ts';
import { Twin } from '../parametrize/laws/twin.ts';
import { failure } from '../parametrize/unchanged.ts';
import { flatten } from '../toBeAllClose.ts';

const input = (): tf.Tensor => tf.randomNormal([4, 2], 0, 1, 'float32', 5);
const lossOf = losses['two reads']!;

describe.each(Object.keys(optimizers))('minimize with %s', (name) => {
  it('trains as a twin that never lost its state, through registrations and removals', () => {
    const net = new Net();
    const twin = new Twin(net.weight, net.bias, name);
    const optimizer = optimizers[name]!();
    const x = input();
    const train = (): void => {
      for (let i = 0; i < 3; i++) {
        const cost = minimize(optimizer, () => lossOf(x, () => net.weight, net.bias, net.parameters()), net, {
          returnCost: true,
        });
        expect(cost).toBeAllClose(twin.step(lossOf, x), { relative: 1e-4 });
        cost.dispose();
      }
    };
    train();
    weightNorm(net);
    twin.register(new (parametrizationsOn(net, 'weight')[0]!.constructor as new () => nn.Module)() as never);
    train();
    fold(net);
    twin.remove();
    train();
    expect(net.weight).toBeAllClose(twin.read(), { relative: 1e-4, absolute: 1e-5 });
    net.dispose();
    twin.dispose();
    disposeOptimizer(optimizer);
    x.dispose();
  });
});

describe('minimize', () => {
  it('keeps the state of two models that share an optimizer apart', () => {
    const run = (shared: boolean): number[][] => {
      const [a, b] = [weightNorm(new Net(1)), weightNorm(new Net(2))];
      const first = tf.train.momentum(0.02, 0.9);
      const second = shared ? first : tf.train.momentum(0.02, 0.9);
      for (let i = 0; i < 4; i++) {
        minimize(first, () => tf.sum(tf.square(tf.mul(a.weight, 3))), a);
        if (i === 1) removeParametrizations(a, 'weight');
        minimize(second, () => tf.sum(tf.square(b.weight)), b);
      }
      const values = [flatten(tf.clone(a.weight)), tf.tidy(() => flatten(b.weight))];
      tf.dispose([]);
      disposeOptimizer(first);
      if (!shared) disposeOptimizer(second);
      a.dispose();
      b.dispose();
      return values;
    };
    expect(tf.tidy(() => run(true))).toBeAllClose(tf.tidy(() => run(false)));
  });

  it('takes plain objects, and models of tf.layers', () => {
    const host = { w: tf.tidy(() => tf.variable(tf.tensor2d([[1, 2]]))), other: 3 };
    weightNorm(host, 'w');
    const { g, v } = parametrizationsOn(host, 'w');
    const before = [flatten(g!), flatten(v!)];
    const adam = tf.train.adam(0.1);
    const target = tf.tensor2d([[3, 5]]);
    expect(minimize(adam, () => tf.sum(tf.square(tf.sub(host.w, target))), host)).toBe(null);
    expect(flatten(g!)).not.toEqual(before[0]);
    expect(flatten(v!)).not.toEqual(before[1]);

    const layer = tf.layers.dense({ units: 2, inputShape: [2] });
    const model = tf.sequential({ layers: [layer] });
    const step = (): void =>
      void minimize(adam, () => tf.sum(tf.square(model.apply(target) as tf.Tensor)) as tf.Scalar, model);
    step();
    weightNorm(layer);
    step();
    syncModel(model);
    const list = parametrizationsOn(layer, 'kernel');
    const length = flatten(list.g!);
    step();
    expect(flatten(list.g!)).not.toEqual(length);
    fold(model);
    step();
    disposeOptimizer(adam);
    disposeModel(model);
    tf.dispose([parametrizationsOn(host, 'w').g, parametrizationsOn(host, 'w').v, target]);
  });

  it('changes nothing if the loss throws, or if its arguments are wrong', () => {
    const net = weightNorm(new Net());
    const adam = tf.train.adam(0.1);
    const loss = (): tf.Scalar => tf.sum(tf.square(net.weight));
    minimize(adam, loss, net);
    removeParametrizations(net, 'weight');
    const boom = (): never => {
      throw new Error('boom');
    };
    const slots = () =>
      (adam as unknown as { accumulatedFirstMoment: { originalName: string }[] }).accumulatedFirstMoment.map(
        ({ originalName }) => originalName,
      );
    const before = slots();
    const calls: (() => unknown)[] = [
      () => minimize(adam, boom, net),
      () => minimize({} as tf.Optimizer, loss, net),
      () => minimize(adam, 3 as never, net),
      () => minimize(adam, loss, null as never),
      () => minimize(adam, loss, tf.zeros as never),
      () => minimize(adam, loss, net, { returnCosts: true } as never),
      () => minimize(adam, loss, net, { returnCost: 1 } as never),
    ];
    expect(calls.map((call) => failure(call, net))).toMatchInlineSnapshot(`
      [
        "Error: boom",
        "OPTION: minimize: Object is none of the optimizers of tfjs, so its state cannot be moved. Make a new one.",
        "OPTION: minimize: the loss is number, expected a function.",
        "UNSUPPORTED_HOST: minimize: expected a module, a model of tf.layers or an object that holds variables, got null.",
        "UNSUPPORTED_HOST: minimize: expected a module, a model of tf.layers or an object that holds variables, got function zeros.",
        "OPTION: minimize: 'returnCosts' is not an option. Did you mean 'returnCost'? It has: returnCost.",
        "OPTION: minimize: returnCost is 1 (number), it must be true or false.",
      ]
    `);
    expect(slots()).toEqual(before);
    minimize(adam, loss, net);
    disposeOptimizer(adam);
    net.dispose();
  });

  it('leaves frozen variables as they are, and goes on with their moments later', () => {
    const net = weightNorm(new Net());
    const adam = tf.train.adam(0.1);
    const loss = (): tf.Scalar => tf.add(tf.sum(tf.square(net.weight)), tf.sum(tf.sub(net.bias, 1)));
    minimize(adam, loss, net);
    const { g } = parametrizationsOn(net, 'weight');
    g!.trainable = false;
    const frozen = flatten(g!);
    minimize(adam, loss, net);
    expect(flatten(g!)).toEqual(frozen);
    // A list without the frozen one, and then all again.
    adam.minimize(
      loss,
      false,
      net.parameters().filter(({ trainable }) => trainable),
    );
    expect(flatten(g!)).toEqual(frozen);
    g!.trainable = true;
    minimize(adam, loss, net);
    expect(flatten(g!)).not.toEqual(frozen);
    syncOptimizer(adam, net.parameters());
    disposeOptimizer(adam);
    net.dispose();
  });
});
