import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import {
  cached,
  isParametrized,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
} from '../../../src/parametrize/index.ts';
import {
  AddOne,
  Affine,
  Double,
  inTidy,
  numbers,
  RankOne,
  read,
  Scaled,
  SumOfThree,
  train,
  variableOf,
} from '../fixtures.ts';

const originalsOf = (host: object, name = 'weight'): tf.Variable[] => {
  const list = parametrizationsOn(host, name) as unknown as Record<string, tf.Variable>;
  return Object.keys(list)
    .filter((key) => key.startsWith('original'))
    .map((key) => list[key]!);
};

describe('transferParametrizationsAndParams', () => {
  it('registers the same maps over the same originals, and leaves the source alone (torch#55)', () => {
    const [from, to] = [new Affine(), new Affine()];
    const map = new Double();
    registerParametrization(from, 'weight', map);
    const value = read(from);
    const target = variableOf(to);
    expect(transferParametrizationsAndParams(from, to)).toBe(to);
    expect(isParametrized(to, 'weight')).toBe(true);
    expect(parametrizationsOn(to, 'weight')[0]).toBe(map);
    expect(originalsOf(to)).toEqual(originalsOf(from));
    expect(originalsOf(to)[0]).toBe(originalsOf(from)[0]);
    expect(target.isDisposed).toBe(true);
    expect(read(to)).toEqual(value);
    expect(read(from)).toEqual(value);
    expect(Object.keys(to.stateDict())).toEqual(['bias', 'parametrizations.weight.original']);
    to.dispose();
    from.dispose();
  });

  it('leaves the source parametrized when it is removed from the target (torch#56)', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Double());
    const { name } = variableOf(to);
    transferParametrizationsAndParams(from, to);
    const value = read(from);
    const original = originalsOf(from)[0]!;
    removeParametrizations(to, 'weight');
    expect(isParametrized(to)).toBe(false);
    expect(isParametrized(from)).toBe(true);
    expect(originalsOf(from)[0]).toBe(original);
    expect(original.isDisposed).toBe(false);
    expect(variableOf(to)).not.toBe(original);
    expect(variableOf(to).name).toBe(name);
    expect([read(from), read(to)]).toEqual([value, value]);
    from.dispose();
    to.dispose();
  });

  it('leaves the target parametrized when it is removed from the source', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Double());
    transferParametrizationsAndParams(from, to);
    const value = read(from);
    const original = originalsOf(from)[0]!;
    removeParametrizations(from, 'weight');
    expect(variableOf(from)).not.toBe(original);
    expect(original.isDisposed).toBe(false);
    expect([read(from), read(to)]).toEqual([value, value]);
    train(from);
    expect(read(to)).toEqual(value);
    train(to);
    expect(read(to)).not.toEqual(value);
    const left = read(to);
    removeParametrizations(to, 'weight');
    expect(variableOf(to)).toBe(original);
    expect(read(to)).toEqual(left);
    from.dispose();
    to.dispose();
  });

  it('trains both together', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Double());
    transferParametrizationsAndParams(from, to);
    train(from);
    expect(read(to)).toEqual(read(from));
    train(to);
    expect(read(to)).toEqual(read(from));
    from.dispose();
    to.dispose();
  });

  it('adds a tensor that the target lacks (torch#57)', () => {
    const from = new Affine();
    const to: { weight?: tf.Tensor; bias: tf.Tensor | null } = { bias: null };
    registerParametrization(from, 'weight', new AddOne());
    registerParametrization(from, 'bias', new AddOne());
    transferParametrizationsAndParams(from, to);
    expect(read(to)).toEqual(read(from));
    expect(read(to, 'bias')).toEqual(read(from, 'bias'));
    removeParametrizations(to, 'weight');
    removeParametrizations(to, 'bias');
    expect(Object.keys(to)).toEqual(['bias', 'weight']);
    expect(read(to)).toEqual(read(from));
    tf.dispose([to.weight!, to.bias!]);
    from.dispose();
  });

  it('works with a right inverse, so that both can be assigned (torch#58)', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Double());
    registerParametrization(from, 'weight', new AddOne());
    transferParametrizationsAndParams(from, to);
    const value = tf.fill([3, 3], 9);
    to.weight = value;
    inTidy(() => {
      expect(to.weight).toBeAllClose(value);
      expect(from.weight).toBeAllClose(value);
    });
    value.dispose();
    from.dispose();
    to.dispose();
  });

  it('moves one tensor if it is named (torch#59)', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Double());
    registerParametrization(from, 'bias', new Double());
    const bias = to.bias;
    transferParametrizationsAndParams(from, to, 'weight');
    expect(isParametrized(to, 'weight')).toBe(true);
    expect(isParametrized(to, 'bias')).toBe(false);
    expect(to.bias).toBe(bias);
    from.dispose();
    to.dispose();
  });

  it('moves several originals (torch#60), also where no variable of the value’s shape exists', () => {
    for (const map of [new RankOne(), new SumOfThree()]) {
      const [from, to] = [new Affine(), new Affine()];
      registerParametrization(from, 'weight', map);
      transferParametrizationsAndParams(from, to);
      expect(originalsOf(to)).toHaveLength(originalsOf(from).length);
      originalsOf(to).forEach((original, i) => {
        expect(original).toBe(originalsOf(from)[i]);
      });
      expect(read(to)).toEqual(read(from));
      const value = read(from);
      removeParametrizations(from, 'weight');
      removeParametrizations(to, 'weight');
      expect([read(from), read(to)]).toEqual([value, value]);
      from.dispose();
      to.dispose();
    }
  });

  it('gives each host an object of its own inside of cached (torch#50, torch#51)', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Double());
    transferParametrizationsAndParams(from, to);
    cached(() => {
      expect(from.weight).toBe(from.weight);
      expect(to.weight).toBe(to.weight);
      expect(from.weight).not.toBe(to.weight);
    });
    from.dispose();
    to.dispose();
  });

  it('keeps reads of both fresh: an assignment on one side is seen on the other', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(
      from,
      'weight',
      Object.assign(
        pure((x) => tf.mul(x, 2)),
        { rightInverse: (y: tf.Tensor) => tf.div(y, 2) },
      ),
    );
    transferParametrizationsAndParams(from, to);
    void to.weight;
    const value = tf.zeros([3, 3]);
    from.weight = value;
    inTidy(() => expect(to.weight).toBeAllClose(value));
    value.dispose();
    from.dispose();
    to.dispose();
  });

  it('shares a parametrization with tensors, which stays while one side holds it', () => {
    const [from, to] = [new Affine(), new Affine()];
    const map = new Scaled();
    registerParametrization(from, 'weight', map);
    transferParametrizationsAndParams(from, to);
    expect(from.parameters()).toContain(map.scale);
    expect(to.parameters()).toContain(map.scale);
    removeParametrizations(from, 'weight');
    removeParametrizations(to, 'weight');
    expect(map.scale.isDisposed).toBe(false);
    map.dispose();
    from.dispose();
    to.dispose();
  });

  it('moves parametrized buffers', () => {
    const [from, to] = [new Affine(), new Affine()];
    registerParametrization(from, 'weight', new Scaled());
    registerParametrization(to, 'bias', new Scaled());
    const [source, target] = [parametrizationsOn(from, 'weight')[0], parametrizationsOn(to, 'bias')[0]] as [
      Scaled,
      Scaled,
    ];
    registerParametrization(source, 'count', new AddOne());
    transferParametrizationsAndParams(source, target);
    expect(to.namedBuffers().map(([name]) => name)).toEqual([
      'parametrizations.bias.0.parametrizations.count.original',
    ]);
    expect(target.buffers()).toEqual(source.buffers());
    from.dispose();
    to.dispose();
  });

  it('moves nothing from a host on which nothing is registered', () => {
    const [from, to] = [new Affine(), new Affine()];
    transferParametrizationsAndParams(from, to);
    expect(isParametrized(to)).toBe(false);
    from.dispose();
    to.dispose();
  });

  it('works between a module and a plain object', () => {
    const from = { kernel: parameter(numbers(2)) as tf.Tensor };
    const to = { kernel: parameter(numbers(2)) as tf.Tensor };
    registerParametrization(from, 'kernel', new Double());
    transferParametrizationsAndParams(from, to);
    expect(read(to, 'kernel')).toEqual(read(from, 'kernel'));
    removeParametrizations(to, 'kernel');
    removeParametrizations(from, 'kernel');
    tf.dispose([from.kernel, to.kernel]);
  });
});
