import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { clone } from '../../src/model/index.ts';
import { Module, parameter } from '../../src/nn/index.ts';
import { symmetric, weightNorm } from '../../src/parametrizations/index.ts';
import {
  cached,
  isParametrized,
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
} from '../../src/parametrize/index.ts';
import { AddOne, Affine, Double, inTidy, read, Scaled, train, variableOf } from '../parametrize/fixtures.ts';
import { describeError, failure, thrownBy } from '../parametrize/unchanged.ts';

/** Two hosts, the second of which may share with the first. */
class Pair extends Module {
  a = new Affine();
  b = new Affine();
  override forward(x: tf.Tensor): tf.Tensor {
    return this.b.call(this.a.call(x) as tf.Tensor) as tf.Tensor;
  }
}

/** Every variable below a module, by its key. */
const variables = (module: Module): [string, tf.Variable][] =>
  Object.entries(module.stateDict()) as [string, tf.Variable][];

function expectEqualButDistinct(copy: Module, source: Module): void {
  expect(variables(copy).map(([key]) => key)).toEqual(variables(source).map(([key]) => key));
  variables(copy).forEach(([key, variable], i) => {
    const [, original] = variables(source)[i]!;
    expect(variable, key).not.toBe(original);
    expect(variable.trainable, key).toBe(original.trainable);
    expect(variable, key).toBeAllClose(original);
  });
}

describe('clone', () => {
  it('has the same attributes, equal tensors and own objects: for one map, two tensors, two maps (torch#54)', () => {
    const one = new Affine();
    registerParametrization(one, 'weight', new Double());
    const two = new Affine();
    registerParametrization(two, 'weight', new Double());
    registerParametrization(two, 'bias', new AddOne());
    const chain = new Affine();
    registerParametrization(chain, 'weight', new Double());
    registerParametrization(chain, 'weight', new AddOne());
    for (const plain of [one, two, chain]) {
      const host = Object.assign(plain, { attribute: [1, 2, 3] });
      const copy = clone(host);
      expect(copy).toBeInstanceOf(Affine);
      expect(copy.attribute).toEqual(host.attribute);
      expect(copy.attribute).not.toBe(host.attribute);
      expect(Reflect.ownKeys(copy)).toEqual(Reflect.ownKeys(host));
      expectEqualButDistinct(copy, host);
      expect(read(copy)).toEqual(read(host));
      expect(copy.parametrizations).not.toBe(host.parametrizations);
      for (const name of Object.keys(host.parametrizations!).filter((key) => key !== 'training')) {
        const [own, source] = [parametrizationsOn(copy, name), parametrizationsOn(host, name)];
        expect(own).not.toBe(source);
        expect([...own].map((map) => map.constructor)).toEqual([...source].map((map) => map.constructor));
        [...own].forEach((map, i) => {
          expect(map).not.toBe(source[i]);
        });
      }
      copy.dispose();
      read(host);
      host.dispose();
    }
  });

  it('uses the clone() of a class that has one, also of a parametrization (torch#54)', () => {
    class Custom extends Double {
      clones = 0;
      override clone(): this {
        const copy = new Custom();
        copy.clones = this.clones + 1;
        return copy as this;
      }
    }
    const host = new Affine();
    registerParametrization(host, 'weight', new Custom());
    const copy = clone(host);
    expect((parametrizationsOn(copy, 'weight')[0] as Custom).clones).toBe(1);
    const value = tf.zeros([3, 3]);
    copy.weight = value;
    inTidy(() => expect(copy.weight).toBeAllClose(value));
    value.dispose();
    copy.dispose();
    host.dispose();
  });

  it('of a weight-normalized module has equal output (torch#89)', () => {
    const host = weightNorm(new Affine());
    const copy = host.clone();
    const x = tf.ones([2, 3]);
    inTidy(() => expect(copy.call(x) as tf.Tensor).toBeAllClose(host.call(x) as tf.Tensor));
    x.dispose();
    copy.dispose();
    host.dispose();
  });

  it('trains, and is removed, without the source', () => {
    const host = weightNorm(new Affine());
    const copy = clone(host);
    const before = read(host);
    train(copy);
    expect(read(host)).toEqual(before);
    expect(read(copy)).not.toEqual(before);
    removeParametrizations(copy, 'weight');
    expect(isParametrized(host, 'weight')).toBe(true);
    expect(read(host)).toEqual(before);
    host.dispose();
    train(copy);
    copy.dispose();
  });

  it('keeps modes, frozen parameters, buffers and hooks', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    variableOf(map, 'scale').trainable = false;
    map.registerForwardHook((module, _, y) =>
      module === map ? tf.neg(y as tf.Tensor) : tf.mul(y as tf.Tensor, 10),
    );
    host.eval();
    const copy = clone(host);
    const copied = parametrizationsOn(copy, 'weight')[0] as Scaled;
    expect([copy.training, copied.training]).toEqual([false, false]);
    expect(copy.namedBuffers().map(([name]) => name)).toEqual(host.namedBuffers().map(([name]) => name));
    expect(variableOf(copied, 'scale').trainable).toBe(false);
    inTidy(() => expect(copy.weight).toBeAllClose(tf.mul(host.weight, -10)));
    copy.dispose();
    host.dispose();
  });

  it('disposes the parametrizations that it has copied with their removal: nobody else can', () => {
    const host = new Affine();
    const map = new Scaled();
    registerParametrization(host, 'weight', map);
    const copy = clone(host);
    const copied = parametrizationsOn(copy, 'weight')[0] as Scaled;
    removeParametrizations(copy, 'weight');
    expect(copied.scale.isDisposed).toBe(true);
    expect(map.scale.isDisposed).toBe(false);
    copy.dispose();
    host.dispose();
  });

  it('keeps shared originals shared inside of the copy', () => {
    const pair = new Pair();
    weightNorm(pair.a);
    transferParametrizationsAndParams(pair.a, pair.b);
    const copy = clone(pair);
    const [a, b] = [parametrizationsOn(copy.a, 'weight'), parametrizationsOn(copy.b, 'weight')];
    expect(a).not.toBe(b);
    expect(a.v).toBe(b.v);
    expect(a.v).not.toBe(parametrizationsOn(pair.a, 'weight').v);
    removeParametrizations(copy.a, 'weight');
    expect(b.v!.isDisposed).toBe(false);
    const value = read(copy.b);
    expect(read(copy.a)).toEqual(value);
    train(copy.a);
    expect(read(copy.b)).toEqual(value);
    copy.dispose();
    pair.dispose();
  });

  it('may be cloned again, and inside of cached, a tidy and a gradient', () => {
    const host = symmetric(new Affine());
    const value = read(host) as number[][];
    const copies = cached(() => {
      void host.weight;
      return [clone(host), tf.tidy(() => clone(host) as unknown as tf.TensorContainer) as unknown as Affine];
    });
    const x = tf.ones([3, 3]);
    const gradient = tf.grad((y) => {
      const copy = clone(host);
      copies.push(copy);
      return tf.sum(tf.mul(y, copy.weight));
    })(x);
    copies.push(clone(copies[0]!));
    copies.push(clone(copies.at(-1)!));
    expect(gradient).toBeAllClose(value);
    for (const copy of copies) inTidy(() => expect(copy.weight).toBeAllClose(value));
    tf.dispose([x, gradient]);
    host.dispose();
    for (const copy of copies) copy.dispose();
  });

  it('has a borrowed value of its own', () => {
    const host = weightNorm(new Affine());
    const borrowed = host.weight;
    const copy = clone(host);
    expect(copy.weight).not.toBe(borrowed);
    copy.dispose();
    expect(borrowed.isDisposed).toBe(false);
    expect(host.weight).toBe(borrowed);
    host.dispose();
  });

  it('copies structures around the variables, and takes all else by reference', () => {
    const date = new Date(0);
    const fn = (): number => 1;
    const tensor = tf.ones([2]);
    const weight = parameter(tf.ones([2]));
    const host = {
      weight: weight as tf.Tensor,
      tied: { weight },
      list: [weight, [weight]],
      map: new Map([['weight', weight]]),
      set: new Set([weight]),
      date,
      fn,
      tensor,
      self: null as unknown,
    };
    host.self = host;
    const copy = clone(host);
    expect(copy.self).toBe(copy);
    expect(copy.weight).not.toBe(weight);
    for (const tie of [
      copy.tied.weight,
      copy.list[0],
      (copy.list[1] as unknown[])[0],
      copy.map.get('weight'),
      [...copy.set][0],
    ]) {
      expect(tie).toBe(copy.weight);
    }
    expect([copy.date, copy.fn, copy.tensor]).toEqual([date, fn, tensor]);
    expect(copy.tensor).toBe(tensor);
    tf.dispose([tensor, weight, copy.weight]);
  });

  it('refuses what is no object, and a disposed host, and leaves nothing behind', () => {
    for (const value of [null, undefined, 3, 'x']) {
      expect(describeError(thrownBy(() => clone(value as unknown as object)))).toMatch(
        'UNSUPPORTED_HOST: clone: ',
      );
    }
    const host = weightNorm(new Affine());
    parametrizationsOn(host, 'weight').v!.dispose();
    const { numTensors } = tf.memory();
    expect(failure(() => clone(host))).toMatch('DISPOSED: clone: ');
    expect(tf.memory().numTensors).toBe(numTensors);
    host.dispose();
  });

  it('leaves nothing behind when a part cannot be copied', () => {
    class Stubborn extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        return x;
      }
      override clone(): this {
        throw new RangeError('not me');
      }
    }
    const host = new Affine();
    registerParametrization(host, 'bias', new Stubborn());
    expect(failure(() => clone(host), host)).toBe('RangeError: not me');
    host.dispose();
  });
});
