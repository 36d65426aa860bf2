import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fold } from '../../src/model/index.ts';
import { Module, parameter } from '../../src/nn/index.ts';
import { skew, symmetric, weightNorm } from '../../src/parametrizations/index.ts';
import {
  isParametrized,
  parametrizationsOn,
  pure,
  registerParametrization,
} from '../../src/parametrize/index.ts';
import {
  Affine,
  Double,
  inTidy,
  numbers,
  RankOne,
  read,
  Scaled,
  train,
  variableOf,
} from '../parametrize/fixtures.ts';
import { describeError, failure, thrownBy } from '../parametrize/unchanged.ts';

class Net extends Module {
  first = new Affine();
  second = new Affine();
  scale: tf.Tensor = parameter(numbers(3));
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(this.second.call(this.first.call(x) as tf.Tensor) as tf.Tensor, this.scale);
  }
}

function parametrized(): Net {
  const net = new Net();
  weightNorm(net.first);
  symmetric(net.second);
  skew(net.second);
  registerParametrization(net.second, 'bias', (x) => tf.exp(x));
  weightNorm(net, 'scale', { dim: null });
  return net;
}

describe('fold', () => {
  it('leaves plain variables with the values, bit by bit, and names the tensors', () => {
    const net = parametrized();
    const x = tf.ones([2, 3]);
    const before = net.call(x);
    const values = [read(net.first), read(net.second), read(net.second, 'bias'), read(net, 'scale')];
    expect(fold(net)).toEqual(['scale', 'first.weight', 'second.weight', 'second.bias']);
    const after = net.call(x);
    expect(after.arraySync()).toEqual(before.arraySync());
    expect([read(net.first), read(net.second), read(net.second, 'bias'), read(net, 'scale')]).toEqual(values);
    expect(Object.keys(net.stateDict())).toEqual([
      'scale',
      'first.weight',
      'first.bias',
      'second.weight',
      'second.bias',
    ]);
    expect(net.modules().some((module) => isParametrized(module))).toBe(false);
    expect(net.parameters().every((variable) => variable instanceof tf.Variable)).toBe(true);
    tf.dispose([x, before, after]);
    net.dispose();
  });

  it('does nothing the second time, and nothing on a plain model', () => {
    const net = parametrized();
    fold(net);
    const state = net.stateDict();
    expect(fold(net)).toEqual([]);
    expect(net.stateDict()).toEqual(state);
    net.dispose();
    const plain = new Net();
    expect(fold(plain)).toEqual([]);
    plain.dispose();
  });

  it('can be undone, and the model trained on', () => {
    const net = parametrized();
    fold(net);
    train(net);
    weightNorm(net.first);
    train(net);
    fold(net);
    net.dispose();
  });

  it('takes a plain object, and a tensor without an original of its shape', () => {
    const host = { weight: parameter(numbers(3, 3)) as tf.Tensor, bias: parameter(numbers(3)) as tf.Tensor };
    registerParametrization(host, 'weight', new RankOne());
    registerParametrization(
      host,
      'bias',
      pure((x) => tf.neg(x)),
    );
    const values = [read(host), read(host, 'bias')];
    expect(fold(host)).toEqual(['weight', 'bias']);
    expect([read(host), read(host, 'bias')]).toEqual(values);
    expect(host.weight).toBeInstanceOf(tf.Variable);
    tf.dispose([host.weight, host.bias]);
  });

  it('folds a module that stands in two places once', () => {
    class Shared extends Module {
      a = new Affine();
      b = this.a;
      override forward(): void {}
    }
    const model = new Shared();
    weightNorm(model.a);
    expect(fold(model)).toEqual(['a.weight']);
    model.dispose();
  });

  it('folds parametrized originals with the tensor, and leaves other parametrizations of the caller alone', () => {
    const host = new Affine();
    const variable = variableOf(host);
    const scaled = new Scaled().eval();
    host.eval();
    registerParametrization(host, 'weight', scaled);
    registerParametrization(parametrizationsOn(host, 'weight'), 'original', new Double());
    registerParametrization(scaled, 'scale', (x) => tf.exp(x));
    const value = read(host);
    expect(fold(host)).toEqual(['weight']);
    expect(read(host)).toEqual(value);
    expect(variableOf(host)).toBe(variable);
    expect(isParametrized(scaled, 'scale')).toBe(true);
    scaled.dispose();
    host.dispose();
  });

  it('folds a copy, whose parametrizations nobody else holds', () => {
    const host = new Affine();
    const scaled = new Scaled();
    registerParametrization(host, 'weight', scaled);
    registerParametrization(scaled, 'scale', (x) => tf.exp(x));
    const copy = host.clone();
    const value = read(copy.eval());
    expect(fold(copy)).toEqual(['weight']);
    expect(read(copy)).toEqual(value);
    copy.dispose();
    host.dispose();
  });

  it('refuses what is no object', () => {
    expect(describeError(thrownBy(() => fold(null as unknown as object)))).toMatchInlineSnapshot(
      `"UNSUPPORTED_HOST: fold: expected a module or an object, got null."`,
    );
  });

  it('changes nothing if one of the tensors cannot be computed', () => {
    const net = parametrized();
    let broken = false;
    registerParametrization(net.second, 'bias', (x) => {
      if (broken) throw new RangeError('broken');
      return x;
    });
    broken = true;
    expect(failure(() => fold(net), net)).toBe('RangeError: broken');
    broken = false;
    expect(fold(net)).toHaveLength(4);
    inTidy(() => net.call(tf.ones([1, 3])));
    net.dispose();
  });
});
