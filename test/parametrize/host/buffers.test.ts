import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { buffer, Module, parameter } from '../../../src/nn/index.ts';
import { isBuffer } from '../../../src/nn/module/parameter.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import {
  AddOne,
  Affine,
  Double,
  inTidy,
  RankOne,
  read,
  Scaled,
  SumOfThree,
  variableOf,
} from '../fixtures.ts';

/** A host with a parameter, a buffer and a frozen parameter. */
class Statistics extends Module {
  weight: tf.Tensor = parameter(tf.ones([3, 3]));
  mean: tf.Tensor = buffer(tf.zeros([3, 3]));
  override forward(): never {
    throw new Error('not called');
  }
}

describe('a parametrized buffer', () => {
  it('stays a buffer, with two maps, and keeps the value after removal (torch#19)', () => {
    const host = new Statistics();
    const variable = variableOf(host, 'mean');
    const parameters = host.parameters();
    registerParametrization(host, 'mean', (x) => tf.add(x, 3));
    registerParametrization(host, 'mean', (x) => tf.mul(x, 2));
    inTidy(() => expect(host.mean).toBeAllClose(tf.fill([3, 3], 6)));
    expect(host.parameters()).toEqual(parameters);
    expect(host.namedBuffers()).toEqual([['parametrizations.mean.original', variable]]);
    removeParametrizations(host, 'mean', { leaveParametrized: true });
    expect(host.mean).toBe(variable);
    expect(isBuffer(variable)).toBe(true);
    inTidy(() => expect(host.mean).toBeAllClose(tf.fill([3, 3], 6)));
    expect(host.parameters()).toEqual(parameters);
    expect(host.namedBuffers()).toEqual([['mean', variable]]);
    host.dispose();
  });

  it('gives buffers for several originals, and one back at removal', () => {
    const host = new Statistics();
    registerParametrization(host, 'mean', new SumOfThree());
    expect(host.namedBuffers().map(([name]) => name)).toEqual([
      'parametrizations.mean.original0',
      'parametrizations.mean.original1',
      'parametrizations.mean.original2',
    ]);
    expect(host.buffers().map(({ trainable }) => trainable)).toEqual([false, false, false]);
    removeParametrizations(host, 'mean');
    expect(host.namedBuffers().map(([name]) => name)).toEqual(['mean']);

    const one = tf.ones([3, 3]);
    variableOf(host, 'mean').assign(one);
    registerParametrization(host, 'mean', new RankOne());
    removeParametrizations(host, 'mean');
    expect(isBuffer(variableOf(host, 'mean'))).toBe(true);
    expect(variableOf(host, 'mean').trainable).toBe(false);
    one.dispose();
    host.dispose();
  });

  it('never becomes a parameter by its trainable flag, nor a frozen parameter a buffer', () => {
    const host = new Statistics();
    variableOf(host).trainable = false;
    variableOf(host, 'mean').trainable = true;
    registerParametrization(host, 'weight', new SumOfThree());
    registerParametrization(host, 'mean', new SumOfThree());
    expect(host.parameters().every(({ trainable }) => !trainable)).toBe(true);
    expect(host.parameters()).toHaveLength(3);
    expect(host.buffers()).toHaveLength(3);
    removeParametrizations(host, 'weight');
    removeParametrizations(host, 'mean');
    expect(host.namedParameters().map(([name]) => name)).toEqual(['weight']);
    expect(host.namedBuffers().map(([name]) => name)).toEqual(['mean']);
    host.dispose();
  });

  it('is assigned like a parameter', () => {
    const host = new Statistics();
    registerParametrization(host, 'mean', new AddOne());
    const value = tf.fill([3, 3], 5);
    host.mean = value;
    inTidy(() => expect(parametrizationsOn(host, 'mean').original).toBeAllClose(tf.fill([3, 3], 4)));
    value.dispose();
    host.dispose();
  });
});

describe('a parametrization with a parameter and a buffer', () => {
  it('saves and loads them with the host (torch#20)', () => {
    const [source, target] = [new Affine(), new Affine()];
    for (const host of [source, target]) registerParametrization(host, 'weight', new Scaled());
    const map = parametrizationsOn(source, 'weight')[0] as Scaled;
    const seven = tf.scalar(7);
    (map.scale as tf.Variable).assign(seven);
    for (let i = 0; i < 3; i++) read(source);
    expect(Object.keys(source.stateDict())).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0.scale',
      'parametrizations.weight.0.count',
    ]);
    source.eval();
    target.eval();
    target.loadStateDict(source.stateDict());
    expect(read(target)).toEqual(read(source));
    const loaded = parametrizationsOn(target, 'weight')[0] as Scaled;
    expect([read(loaded, 'scale'), read(loaded, 'count')]).toEqual([7, 3]);
    seven.dispose();
    source.dispose();
    target.dispose();
  });

  it('keeps its buffers as they were through a registration: the trial does not count', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    expect(read(map, 'count')).toBe(0);
    registerParametrization(host, 'weight', new Double());
    expect(read(map, 'count')).toBe(0);
    host.dispose();
  });

  it('lets the parameter train with the host', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    expect(host.parameters()).toContain(map.scale);
    expect(host.buffers()).toContain(map.count);
    host.dispose();
  });

  it('registers on the buffer of a parametrization', () => {
    const host = new Affine();
    const map = new Scaled().eval();
    registerParametrization(host, 'weight', map);
    host.eval();
    registerParametrization(map, 'count', new AddOne());
    expect(host.namedBuffers().map(([name]) => name)).toEqual([
      'parametrizations.weight.0.parametrizations.count.original',
    ]);
    host.dispose();
  });
});
