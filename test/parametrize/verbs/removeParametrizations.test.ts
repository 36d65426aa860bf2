import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import { markOwned } from '../../../src/parametrize/chain/registry.ts';
import {
  isParametrized,
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import {
  AddOne,
  Affine,
  Double,
  inTidy,
  numbers,
  read,
  Scaled,
  SkewPart,
  train,
  variableOf,
} from '../fixtures.ts';

describe('removeParametrizations', () => {
  it('returns the host, which has no trace of the registration', () => {
    const host = new Affine();
    const before = Object.getOwnPropertyDescriptors(host);
    const keys = Reflect.ownKeys(host).filter((key) => typeof key === 'string');
    registerParametrization(host, 'weight', new Double());
    registerParametrization(host, 'bias', new Double());
    expect(removeParametrizations(host, 'weight')).toBe(host);
    removeParametrizations(host, 'bias');
    expect(Reflect.ownKeys(host).filter((key) => typeof key === 'string')).toEqual(keys);
    for (const key of keys) {
      expect(Object.getOwnPropertyDescriptor(host, key)).toEqual(before[key as keyof Affine]);
    }
    host.dispose();
  });

  it('puts back the variable itself, its raw value and the class (torch#4)', () => {
    const host = new Affine();
    const before = variableOf(host);
    const value = read(host);
    registerParametrization(host, 'weight', new SkewPart());
    removeParametrizations(host, 'weight', { leaveParametrized: false });
    expect(host.constructor).toBe(Affine);
    expect(host.weight).toBe(before);
    expect(read(host)).toEqual(value);
    expect('parametrizations' in host).toBe(false);
    expect(isParametrized(host)).toBe(false);
    host.dispose();
  });

  it('removes an unsafe and a safe parametrization on top of it (torch#5)', () => {
    const host = new Affine();
    const before = variableOf(host);
    const value = read(host);
    registerParametrization(host, 'weight', (x) => tf.slice(x, [1], [2]), { unsafe: true });
    registerParametrization(host, 'weight', new Double());
    inTidy(() => expect(host.weight.shape).toEqual([2, 3]));
    removeParametrizations(host, 'weight', { leaveParametrized: false });
    expect(host.weight).toBe(before);
    expect(read(host)).toEqual(value);
    expect('parametrizations' in host).toBe(false);
    host.dispose();
  });

  it('leaves a new variable of the old name if the value has another shape than the original', () => {
    const host = new Affine();
    const before = variableOf(host);
    registerParametrization(host, 'weight', (x) => tf.slice(x, [1], [2]), { unsafe: true });
    const value = read(host);
    removeParametrizations(host, 'weight');
    expect(before.isDisposed).toBe(true);
    expect(variableOf(host).shape).toEqual([2, 3]);
    expect(variableOf(host).name).toBe(before.name);
    expect(variableOf(host).trainable).toBe(true);
    expect(read(host)).toEqual(value);
    host.dispose();
  });

  it('leaves the parametrization of another tensor in effect (torch#13)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    registerParametrization(host, 'bias', new Double());
    const bias = read(host, 'bias') as number[];
    removeParametrizations(host, 'weight');
    expect(isParametrized(host)).toBe(true);
    expect(isParametrized(host, 'weight')).toBe(false);
    expect(isParametrized(host, 'bias')).toBe(true);
    inTidy(() => expect(host.bias).toBeAllClose(bias));
    expect(Object.keys(host.stateDict())).toEqual(['weight', 'parametrizations.bias.original']);
    host.dispose();
  });

  it('gives the original back as training has left it (torch#14)', () => {
    const host = new Affine();
    const before = variableOf(host);
    const value = read(host);
    registerParametrization(host, 'weight', new SkewPart());
    train(host);
    removeParametrizations(host, 'weight', { leaveParametrized: false });
    expect(host.weight).toBe(before);
    expect(read(host)).not.toEqual(value);
    host.dispose();
  });

  it('lets the optimizer from before the registration go on (torch#15)', () => {
    const host = new Affine();
    const optimizer = tf.train.sgd(0.01);
    const parameters = host.parameters();
    registerParametrization(host, 'weight', new SkewPart());
    train(host, optimizer);
    removeParametrizations(host, 'weight');
    expect(host.parameters()).toEqual(parameters);
    const before = read(host);
    train(host, optimizer);
    expect(read(host)).not.toEqual(before);
    optimizer.dispose();
    host.dispose();
  });

  it('ends all effects with the last one (torch#16)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    registerParametrization(host, 'bias', new Double());
    removeParametrizations(host, 'bias');
    removeParametrizations(host, 'weight');
    expect(host.constructor).toBe(Affine);
    expect('parametrizations' in host).toBe(false);
    const value = tf.tensor2d([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    variableOf(host).assign(value);
    inTidy(() => expect(host.weight).toBeAllClose(value));
    value.dispose();
    host.dispose();
  });

  it('keeps value and identity, also twice in a row (torch#17)', () => {
    const host = new Affine();
    const [weight, bias] = [variableOf(host), variableOf(host, 'bias')];
    for (let round = 0; round < 2; round++) {
      registerParametrization(host, 'weight', new SkewPart());
      registerParametrization(host, 'weight', new Double());
      registerParametrization(host, 'bias', new AddOne());
      const values = [read(host), read(host, 'bias')];
      removeParametrizations(host, 'weight');
      removeParametrizations(host, 'bias');
      expect([read(host), read(host, 'bias')]).toEqual(values);
      expect(host.weight).toBe(weight);
      expect(host.bias).toBe(bias);
      const before = read(host);
      train(host);
      expect(read(host)).not.toEqual(before);
    }
    host.dispose();
  });

  it('keeps the order of the state dict and of the fields', () => {
    const host = new Affine();
    const fields = Object.keys(host);
    registerParametrization(host, 'weight', new Double());
    removeParametrizations(host, 'weight');
    expect(Object.keys(host.stateDict())).toEqual(['weight', 'bias']);
    expect(Object.keys(host)).toEqual(fields);
    host.dispose();
  });

  it('gives the value of the mode it is in, and advances no state (a read that is not pure)', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    read(host);
    expect(read(map, 'count')).toBe(1);
    const value = read(host);
    const count = read(map, 'count');
    removeParametrizations(host, 'weight');
    expect(read(host)).toEqual(value);
    expect(read(map, 'count')).toBe(count);
    expect(map.training).toBe(true);
    host.dispose();
    map.dispose();
  });

  it('leaves a parametrization that was passed in to its owner, who may register it again', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    removeParametrizations(host, 'weight');
    expect(map.scale.isDisposed).toBe(false);
    registerParametrization(host, 'bias', map);
    removeParametrizations(host, 'bias');
    map.dispose();
    host.dispose();
  });

  it('disposes a parametrization that a registration function made', () => {
    const host = new Affine();
    const map = markOwned(new Scaled());
    registerParametrization(host, 'weight', map);
    removeParametrizations(host, 'weight');
    expect(map.scale.isDisposed).toBe(true);
    expect(map.count.isDisposed).toBe(true);
    host.dispose();
  });

  it('ends a borrowed value and frees it', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    const borrowed = host.weight;
    expect(host.weight).toBe(borrowed);
    removeParametrizations(host, 'weight');
    expect(borrowed.isDisposed).toBe(true);
    host.dispose();
  });

  it('leaves the list without a way to the variable of the host', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const list = parametrizationsOn(host, 'weight');
    removeParametrizations(host, 'weight');
    expect(list).toHaveLength(0);
    expect([...list]).toEqual([]);
    expect('original' in list).toBe(false);
    expect(list.parameters()).toEqual([]);
    list.dispose();
    expect(host.weight.isDisposed).toBe(false);
    host.dispose();
  });

  it('works when it is called in a tidy, a gradient, or by one who has disposed the last read', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SkewPart());
    host.weight.dispose();
    const x = tf.ones([3, 3]);
    const gradient = tf.grad((input) => {
      const y = tf.sum(tf.mul(input, host.weight));
      removeParametrizations(host, 'weight');
      return y;
    })(x);
    inTidy(() => expect(gradient).toBeAllClose(host.weight));
    tf.dispose([x, gradient]);
    host.dispose();
  });

  it('puts the tensor back also if somebody has deleted the property', () => {
    const host = new Affine();
    const variable = variableOf(host);
    registerParametrization(host, 'weight', new Double());
    delete (host as Partial<Affine>).weight;
    expect(host.weight).toBe(undefined);
    removeParametrizations(host, 'weight');
    expect(host.weight).toBe(variable);
    host.dispose();
  });

  it('restores the place of the tensor among the keys of a plain object', () => {
    class Three extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.neg(x);
      }
    }
    const host = { a: parameter(numbers(2)), weight: parameter(numbers(2)), b: parameter(numbers(2)) };
    const keys = Object.keys(host);
    registerParametrization(host, 'weight', new Three());
    registerParametrization(host, 'a', new Three());
    removeParametrizations(host, 'weight');
    removeParametrizations(host, 'a');
    expect(Object.keys(host)).toEqual(keys);
    expect(Reflect.ownKeys(host)).toEqual(keys);
    tf.dispose([host.a, host.weight, host.b]);
  });
});
