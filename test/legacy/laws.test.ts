import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cached,
  clone,
  fold,
  nn,
  type ParametrizationList,
  parametrizationsOn,
  removeParametrizations,
} from '../../src/index.ts';
import { inTidy, numbers } from '../parametrize/fixtures.ts';
import { losses } from '../parametrize/laws/losses.ts';
import { disposeOptimizer, Net, optimizers } from '../parametrize/laws/specimens.ts';
import { flatten } from '../toBeAllClose.ts';
import { fieldOf, type Normalization, normalizations, stateOf, write } from './fixtures.ts';

// The laws of docs/laws.md for what the hook API has registered; both normalizations are pure chains.

const numTensors = (): number => tf.memory().numTensors;

describe.each(Object.keys(normalizations) as Normalization[])('legacy.%s', (normalization) => {
  const { register, remove, suffixes } = normalizations[normalization];
  let net: Net;
  let list: ParametrizationList;
  let original: tf.Variable;
  beforeEach(() => {
    nn.manualSeed(6);
    net = new Net();
    register(net);
    list = parametrizationsOn(net, 'weight');
    original = list.original! ?? list.original0!;
  });
  afterEach(() => net.dispose());

  const changed = (): void => write(original, () => tf.add(original, 1));

  it('L1: answers from its entry until something that it depends on changes', () => {
    const start = list.evaluations;
    for (let i = 0; i < 3; i++) net.weight;
    inTidy(() => void net.weight);
    expect(list.evaluations).toBe(start + 1);
    for (const [i, suffix] of suffixes.entries()) {
      const variable = fieldOf(net, `weight${suffix}`);
      const before = flatten(net.weight);
      write(variable, () => tf.mul(variable, tf.range(1, variable.size + 1).reshape(variable.shape)));
      net.weight;
      expect(list.evaluations, suffix).toBe(start + 2 + i);
      if (variable.size > 1) expect(flatten(net.weight)).not.toEqual(before);
    }
  });

  it.each(Object.keys(losses))('L2: has the same gradients with and without cached: %s', (loss) => {
    const x = numbers(4, 2)();
    const gradients = (): number[][] => {
      const { grads } = tf.variableGrads(
        () => losses[loss]!(x, () => net.weight, net.bias, net.parameters()),
        net.parameters(),
      );
      return net.parameters().map(({ name }) => flatten(grads[name]!));
    };
    inTidy(() => {
      const plain = gradients();
      const scoped = cached(() => {
        net.weight;
        return gradients();
      });
      expect(plain).toHaveLength(normalization === 'weightNorm' ? 3 : 2);
      expect(scoped).toBeAllClose(plain);
    });
    x.dispose();
  });

  it.each(Object.keys(optimizers))('L3: trains in one cached as without, with %s', (name) => {
    const x = numbers(4, 2)();
    const lossesOf = (model: Net, inScope: boolean): number[] => {
      const optimizer = optimizers[name]!();
      const seen: number[] = [];
      const loop = (): void => {
        for (let i = 0; i < 5; i++) {
          const cost = optimizer.minimize(
            () => tf.mean(tf.square(tf.sub(model.call(x), 1))) as tf.Scalar,
            true,
            model.parameters(),
          )!;
          seen.push(cost.dataSync()[0]!);
          cost.dispose();
        }
      };
      if (inScope) cached(loop);
      else loop();
      disposeOptimizer(optimizer);
      return seen;
    };
    const copy = net.clone();
    const { evaluations } = list;
    const plain = lossesOf(net, false);
    expect(list.evaluations - evaluations, 'once for each forward').toBe(5);
    expect(lossesOf(copy, true)).toEqual(plain);
    expect(plain[4]).toBeLessThan(plain[0]!);
    copy.dispose();
    x.dispose();
  });

  it('L4: costs one tensor for a borrowed read, which removal, fold and dispose free', () => {
    const before = numTensors();
    for (let i = 0; i < 5; i++) {
      net.weight;
      inTidy(() => void net.call(tf.ones([1, 2])));
      changed();
    }
    expect(numTensors()).toBe(before + 1);
    for (const end of [
      (copy: Net) => void remove(copy),
      (copy: Net) => void removeParametrizations(copy, 'weight'),
      (copy: Net) => void fold(copy),
      (copy: Net) => copy.dispose(),
    ]) {
      const copy = net.clone();
      const value = copy.weight;
      end(copy);
      expect(value.isDisposed).toBe(true);
      copy.dispose();
    }
  });

  it('L4: keeps a value of a tidy until that tidy ends', () => {
    inTidy(() => {
      const first = net.weight;
      const seen = flatten(first);
      changed();
      net.weight;
      remove(net);
      expect(flatten(first)).toEqual(seen);
    });
  });

  it.each([
    ['train', true],
    ['train', false],
    ['eval', true],
  ])('L6: is removed without a trace, in %s mode, trainable: %s', (mode, trainable) => {
    const plain = new Net().train(mode === 'train');
    (plain.weight as tf.Variable).trainable = trainable;
    const snapshot = () => ({
      keys: Reflect.ownKeys(plain),
      state: Object.keys(plain.stateDict()),
      variables: plain.parameters().map((variable) => [variable, variable.name, variable.trainable]),
      ...Object.getOwnPropertyDescriptors(plain),
    });
    const before = snapshot();
    register(plain);
    expect(Object.keys(plain)).toEqual(['training', 'bias', ...suffixes.map((suffix) => `weight${suffix}`)]);
    remove(plain);
    expect(snapshot()).toEqual(before);
    plain.dispose();
  });

  it('L8: is independent on a copy', () => {
    const before = stateOf(net);
    const copy = clone(net);
    expect(Object.keys(copy)).toEqual(Object.keys(net));
    for (const suffix of suffixes) {
      const [mine, theirs] = [fieldOf(copy, `weight${suffix}`), fieldOf(net, `weight${suffix}`)];
      expect(mine).not.toBe(theirs);
    }
    const listOfCopy = parametrizationsOn(copy, 'weight');
    expect(listOfCopy.original ?? listOfCopy.original0).toBe(fieldOf(copy, `weight${suffixes[0]}`));
    const sgd = tf.train.sgd(0.1);
    inTidy(() => sgd.minimize(() => tf.sum(tf.square(copy.call(tf.ones([1, 2])))), false, copy.parameters()));
    sgd.dispose();
    expect(stateOf(copy)).not.toEqual(before);
    expect(stateOf(net)).toEqual(before);
    remove(copy);
    expect(stateOf(net)).toEqual(before);
    const between = net.clone();
    const deeper = clone(between);
    between.dispose();
    net.weight;
    expect(deeper.weight).toBeAllClose(net.weight);
    deeper.dispose();
    copy.dispose();
  });
});
