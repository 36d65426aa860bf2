import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import {
  isParametrized,
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
  RankOne,
  read,
  SumOfThree,
  train,
  variableOf,
} from '../fixtures.ts';

/** The largest 2×2 minor: 0 for a matrix of rank one. */
function largestMinor(matrix: number[][]): number {
  let largest = 0;
  for (let i = 1; i < matrix.length; i++) {
    for (let j = 1; j < matrix[0]!.length; j++) {
      const minor = matrix[0]![0]! * matrix[i]![j]! - matrix[0]![j]! * matrix[i]![0]!;
      largest = Math.max(largest, Math.abs(minor));
    }
  }
  return largest;
}

const expectRankOne = (host: object): void =>
  expect(largestMinor(read(host) as number[][])).toBeLessThan(1e-5);

describe('a parametrization with several originals', () => {
  it('makes original0 and original1, which are parameters, and leaves other tensors alone (torch#44)', () => {
    const host = new Affine();
    const bias = host.bias;
    registerParametrization(host, 'weight', new RankOne());
    const list = parametrizationsOn(host, 'weight');
    expectRankOne(host);
    expect(list.original0!.shape).toEqual([3]);
    expect(list.original1!.shape).toEqual([3]);
    expect('original' in list).toBe(false);
    expect(host.namedParameters().map(([name]) => name)).toEqual([
      'bias',
      'parametrizations.weight.original0',
      'parametrizations.weight.original1',
    ]);
    expect(host.bias).toBe(bias);
    host.dispose();
  });

  it('leaves a plain parameter with the value after removal (torch#45)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new RankOne());
    const value = read(host);
    removeParametrizations(host, 'weight', { leaveParametrized: true });
    expect(isParametrized(host)).toBe(false);
    expect(host.weight).toBeInstanceOf(tf.Variable);
    expect(read(host)).toEqual(value);
    expectRankOne(host);
    expect(Object.keys(host.stateDict())).toEqual(['weight', 'bias']);
    host.dispose();
  });

  it('does not change a value that is in its image already (torch#46)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new RankOne());
    removeParametrizations(host, 'weight');
    const value = read(host) as number[][];
    registerParametrization(host, 'weight', new RankOne());
    inTidy(() => expect(host.weight).toBeAllClose(value));
    host.dispose();
  });

  it('may stand below a one-to-one map (torch#47)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new RankOne());
    const value = read(host) as number[][];
    registerParametrization(host, 'weight', new Double());
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 2)));
    expectRankOne(host);
    host.dispose();
  });

  it('trains its originals (torch#48)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new RankOne());
    expect(host.parameters()).toHaveLength(3);
    for (let i = 0; i < 2; i++) {
      const before = [read(host), read(host, 'bias')];
      train(host);
      expect(read(host)).not.toEqual(before[0]);
      expect(read(host, 'bias')).not.toEqual(before[1]);
      expectRankOne(host);
    }
    host.dispose();
  });

  it('can be trained after its removal (torch#49)', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new RankOne());
    train(host);
    removeParametrizations(host, 'weight');
    expect(host.parameters()).toHaveLength(2);
    const before = read(host);
    train(host);
    expect(read(host)).not.toEqual(before);
    host.dispose();
  });

  it('disposes the old variable if no original is like it, and makes one of the same name at removal', () => {
    const host = new Affine();
    const old = variableOf(host);
    const { name } = old;
    registerParametrization(host, 'weight', new RankOne());
    expect(old.isDisposed).toBe(true);
    const list = parametrizationsOn(host, 'weight');
    expect([list.original0!.name, list.original1!.name]).toEqual([`${name}/original0`, `${name}/original1`]);
    removeParametrizations(host, 'weight');
    expect(variableOf(host).name).toBe(name);
    expect(variableOf(host).trainable).toBe(true);
    host.dispose();
  });

  it('gives the variable of the host to the last original that is like it', () => {
    const host = new Affine();
    const old = variableOf(host);
    registerParametrization(host, 'weight', new SumOfThree());
    const list = parametrizationsOn(host, 'weight') as unknown as Record<string, tf.Variable>;
    expect(list['original2']).toBe(old);
    expect(list['original0']!.name).toBe(`${old.name}/original0`);
    removeParametrizations(host, 'weight');
    expect(variableOf(host)).toBe(old);
    host.dispose();
  });

  it('may have one original in an array: original0, and no original (torch#36)', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    registerParametrization(host, 'weight', {
      forward: (x) => tf.mul(x, 2),
      rightInverse: (y) => [tf.div(y, 2)],
    });
    const list = parametrizationsOn(host, 'weight');
    expect('original0' in list).toBe(true);
    expect('original1' in list).toBe(false);
    expect('original' in list).toBe(false);
    inTidy(() => expect(host.weight).toBeAllClose(before));
    host.weight = list.original0!;
    inTidy(() => expect(list.original0).toBeAllClose(tf.div(before, 4)));
    removeParametrizations(host, 'weight', { leaveParametrized: false });
    inTidy(() => expect(host.weight).toBeAllClose(tf.div(before, 4)));
    host.dispose();
  });

  it('may take its originals in a rest parameter', () => {
    const host = { weight: parameter(numbers(4)) as tf.Tensor };
    const before = read(host) as number[];
    registerParametrization(host, 'weight', {
      forward: (...parts) => tf.concat(parts),
      rightInverse: (x) => tf.split(x, 4),
    });
    expect(parametrizationsOn(host, 'weight').original1!.shape).toEqual([1]);
    inTidy(() => expect(host.weight).toBeAllClose(before));
    removeParametrizations(host, 'weight');
    host.weight.dispose();
  });

  it('may have originals of different dtypes', () => {
    const host = { weight: parameter(tf.tensor1d([-2, 3])) as tf.Tensor };
    registerParametrization(host, 'weight', {
      forward: (sign, size) => tf.mul(tf.cast(sign!, 'float32'), size!),
      rightInverse: (x) => [tf.cast(tf.sign(x), 'int32'), tf.abs(x)],
    });
    expect(parametrizationsOn(host, 'weight').original0!.dtype).toBe('int32');
    expect(read(host)).toEqual([-2, 3]);
    removeParametrizations(host, 'weight');
    expect(read(host)).toEqual([-2, 3]);
    host.weight.dispose();
  });

  it('is assigned through all right inverses, in reverse order', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new SumOfThree());
    registerParametrization(host, 'weight', new AddOne());
    const value = tf.fill([3, 3], 9);
    host.weight = value;
    const list = parametrizationsOn(host, 'weight');
    inTidy(() => {
      expect(host.weight).toBeAllClose(value);
      expect(list.original0).toBeAllClose(tf.fill([3, 3], 4));
      expect(list.original1).toBeAllClose(tf.fill([3, 3], 2));
    });
    value.dispose();
    host.dispose();
  });
});
