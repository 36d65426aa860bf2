import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  invalidate,
  isParametrized,
  type ParametrizationList,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { AddOne, Affine, Double, inTidy, read, Scaled, SumOfThree, train, variableOf } from '../fixtures.ts';

const originalOf = (list: ParametrizationList) => variableOf(list, 'original');

describe('a parametrized original', () => {
  let host: Affine;
  let variable: tf.Variable;
  let value: number[][];
  let list: ParametrizationList;
  beforeEach(() => {
    host = new Affine();
    variable = variableOf(host);
    value = read(host) as number[][];
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    list = parametrizationsOn(host, 'weight');
  });

  it('is computed itself, and its list is a host like any other (torch#18)', () => {
    registerParametrization(list, 'original', new AddOne());
    registerParametrization(list, 'original', (x) => tf.neg(x));
    expect(isParametrized(list)).toBe(true);
    expect(isParametrized(list, 'original')).toBe(true);
    expect(list).toHaveLength(1);
    inTidy(() => {
      expect(list.original).toBeAllClose(tf.neg(value));
      expect(host.weight).toBeAllClose(tf.mul(value, -2));
    });
    removeParametrizations(list, 'original');
    expect(isParametrized(list)).toBe(false);
    expect('parametrizations' in list).toBe(false);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, -2)));
    host.dispose();
  });

  it('has torch’s keys in the state dict', () => {
    registerParametrization(list, 'original', new Scaled());
    expect(Object.keys(host.stateDict())).toEqual([
      'bias',
      'parametrizations.weight.parametrizations.original.original',
      'parametrizations.weight.parametrizations.original.0.scale',
      'parametrizations.weight.parametrizations.original.0.count',
    ]);
    expect(host.stateDict()['parametrizations.weight.parametrizations.original.original']).toBe(variable);
    host.dispose();
  });

  it('is put back by removing the inner one and then the outer one', () => {
    registerParametrization(list, 'original', new AddOne());
    removeParametrizations(list, 'original');
    expect(originalOf(list)).toBe(variable);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 2)));
    removeParametrizations(host, 'weight');
    expect(host.weight).toBe(variable);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 2)));
    host.dispose();
  });

  it('is put back by removing the outer one alone', () => {
    registerParametrization(list, 'original', new AddOne());
    const inner = parametrizationsOn(list, 'original');
    removeParametrizations(host, 'weight');
    expect(host.weight).toBe(variable);
    expect(isParametrized(host)).toBe(false);
    expect(isParametrized(list)).toBe(false);
    expect(inner).toHaveLength(0);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 2)));
    expect(Object.keys(host.stateDict())).toEqual(['weight', 'bias']);
    host.dispose();
  });

  it('is put back by removing the outer one alone with leaveParametrized: false', () => {
    registerParametrization(list, 'original', (x) => tf.add(x, 1));
    removeParametrizations(host, 'weight', { leaveParametrized: false });
    expect(host.weight).toBe(variable);
    inTidy(() => expect(host.weight).toBeAllClose(tf.add(value, 1)));
    host.dispose();
  });

  it('may be parametrized three deep, and be removed from the top', () => {
    registerParametrization(list, 'original', new AddOne());
    const second = parametrizationsOn(list, 'original');
    registerParametrization(second, 'original', new Double());
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 2)));
    expect(Object.keys(host.stateDict())).toEqual([
      'bias',
      'parametrizations.weight.parametrizations.original.parametrizations.original.original',
    ]);
    removeParametrizations(host, 'weight');
    expect(host.weight).toBe(variable);
    host.dispose();
  });

  it('may be one of several', () => {
    removeParametrizations(host, 'weight');
    registerParametrization(host, 'weight', new SumOfThree());
    list = parametrizationsOn(host, 'weight');
    const before = read(host) as number[][];
    registerParametrization(list as unknown as Record<string, tf.Tensor>, 'original2', new Double());
    registerParametrization(list, 'original0', new AddOne());
    inTidy(() => expect(host.weight).toBeAllClose(before));
    expect(Object.keys(host.stateDict())).toEqual([
      'bias',
      'parametrizations.weight.original1',
      'parametrizations.weight.parametrizations.original2.original',
      'parametrizations.weight.parametrizations.original0.original',
    ]);
    removeParametrizations(host, 'weight');
    expect(host.weight).toBe(variable);
    inTidy(() => expect(host.weight).toBeAllClose(before));
    host.dispose();
  });

  it('is trained through both', () => {
    registerParametrization(list, 'original', new Scaled());
    expect(host.namedParameters().map(([name]) => name)).toEqual([
      'bias',
      'parametrizations.weight.parametrizations.original.original',
      'parametrizations.weight.parametrizations.original.0.scale',
    ]);
    const before = [Array.from(variable.dataSync()), read(host)];
    train(host);
    expect(Array.from(variable.dataSync())).not.toEqual(before[0]);
    expect(read(host)).not.toEqual(before[1]);
    host.dispose();
  });

  it('is assigned through both inverses', () => {
    removeParametrizations(host, 'weight');
    registerParametrization(host, 'weight', new Double());
    list = parametrizationsOn(host, 'weight');
    registerParametrization(list, 'original', new AddOne());
    const assigned = tf.fill([3, 3], 8);
    host.weight = assigned;
    inTidy(() => {
      expect(host.weight).toBeAllClose(assigned);
      expect(variable).toBeAllClose(tf.fill([3, 3], 3));
    });
    assigned.dispose();
    host.dispose();
  });

  it('keeps the chain pure only if it is pure itself', () => {
    registerParametrization(
      list,
      'original',
      pure((x) => tf.add(x, 1)),
    );
    expect(host.weight).toBe(host.weight);
    removeParametrizations(list, 'original');
    const map = new Double();
    registerParametrization(list, 'original', map);
    const { calls } = map;
    read(host);
    read(host);
    expect(map.calls).toBe(calls + 2);
    host.dispose();
  });

  it('is never stale: an assignment to the innermost variable and a removal are seen', () => {
    registerParametrization(
      list,
      'original',
      pure((x) => tf.add(x, 1)),
    );
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(tf.add(value, 1), 2)));
    void host.weight;
    const zero = tf.zeros([3, 3]);
    variable.assign(zero);
    inTidy(() => expect(host.weight).toBeAllClose(tf.fill([3, 3], 2)));
    void host.weight;
    removeParametrizations(list, 'original', { leaveParametrized: false });
    inTidy(() => expect(host.weight).toBeAllClose(zero));
    zero.dispose();
    host.dispose();
  });

  it('is invalidated with the tensor that is computed from it', () => {
    let shift = 1;
    registerParametrization(
      list,
      'original',
      pure((x) => tf.add(x, shift)),
    );
    void host.weight;
    void list.original;
    shift = 5;
    invalidate(host, 'weight');
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(tf.add(value, 5), 2)));
    void list.original;
    shift = 7;
    invalidate(host);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(tf.add(value, 7), 2)));
    host.dispose();
  });

  it('belongs to the copy in a copy', () => {
    registerParametrization(list, 'original', new AddOne());
    const copy = host.clone();
    const copied = parametrizationsOn(copy, 'weight');
    expect(Object.keys(copy.stateDict())).toEqual(Object.keys(host.stateDict()));
    expect(parametrizationsOn(copied, 'original').original).not.toBe(variable);
    const assigned = tf.zeros([3, 3]);
    parametrizationsOn(copied, 'original').original!.assign(assigned);
    inTidy(() => {
      expect(host.weight).toBeAllClose(tf.mul(value, 2));
      expect(copy.weight).toBeAllClose(tf.fill([3, 3], 2));
    });
    removeParametrizations(copy, 'weight');
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 2)));
    assigned.dispose();
    copy.dispose();
    host.dispose();
  });

  it('is freed with its host, also where it has borrowed values', () => {
    registerParametrization(
      list,
      'original',
      pure((x) => tf.add(x, 1)),
    );
    void host.weight;
    void list.original;
    host.dispose();
  });
});
