import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Module } from '../../../src/nn/index.ts';
import {
  Parametrization,
  parametrizationsOn,
  pure,
  registerParametrization,
} from '../../../src/parametrize/index.ts';
import { AddOne, Affine, Double, inTidy, numbers, read, Scaled } from '../fixtures.ts';

/** A sum with names for its parts; one collides with a property that every list has. */
class Named extends Parametrization {
  override readonly originalNames: readonly string[] = ['left', 'length', 'right'];
  override forward(left: tf.Tensor, length: tf.Tensor, right: tf.Tensor): tf.Tensor {
    return tf.addN([left, length, right]);
  }
  override rightInverse(x: tf.Tensor): tf.Tensor[] {
    return [tf.zerosLike(x), tf.zerosLike(x), x];
  }
}

describe('a ParametrizationList', () => {
  it('has exactly what was registered, by index, in order and as an iterable', () => {
    const host = new Affine();
    const object = { forward: (x: tf.Tensor) => tf.neg(x), rightInverse: (y: tf.Tensor) => tf.neg(y) };
    const fn = (x: tf.Tensor) => tf.add(x, 1);
    const declared = pure((x) => tf.mul(x, 3));
    const registered = [new Double(), object, fn, declared, new AddOne()];
    for (const map of registered) registerParametrization(host, 'weight', map);
    const list = parametrizationsOn(host, 'weight');
    expect(list.length).toBe(5);
    registered.forEach((map, i) => {
      expect(list[i]).toBe(map);
    });
    expect([...list]).toEqual(registered);
    expect(list[5]).toBe(undefined);
    host.dispose();
  });

  it('numbers the children of a chain by their place in it', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', (x) => tf.neg(x));
    registerParametrization(host, 'weight', new Scaled());
    const list = parametrizationsOn(host, 'weight');
    expect(list.namedChildren().map(([name]) => name)).toEqual(['1']);
    expect(Object.keys(list.stateDict())).toEqual(['original', '1.scale', '1.count']);
    host.dispose();
  });

  it('is a module with the originals as parameters, and forward evaluates the chain', () => {
    const host = new Affine();
    const map = new Double();
    registerParametrization(host, 'weight', map);
    const list = parametrizationsOn(host, 'weight');
    expect(list).toBeInstanceOf(Module);
    expect(list.parameters()).toEqual([list.original]);
    const before = read(host) as number[][];
    inTidy(() => expect(list.call()).toBeAllClose(before));
    inTidy(() => expect(list.forward()).toBeAllClose(before));
    host.dispose();
  });

  it('counts reads and evaluations', () => {
    const host = new Affine();
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    const list = parametrizationsOn(host, 'weight');
    const [reads, evaluations] = [list.reads, list.evaluations];
    for (let i = 0; i < 5; i++) void host.weight;
    expect([list.reads - reads, list.evaluations - evaluations]).toEqual([5, 1]);
    registerParametrization(host, 'bias', (x) => tf.mul(x, 2));
    for (let i = 0; i < 5; i++) host.bias.dispose();
    expect(parametrizationsOn(host, 'bias').evaluations).toBe(5);
    host.dispose();
  });

  it('has the aliases that the first parametrization names, but never in place of a property', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Named());
    const list = parametrizationsOn(host, 'weight') as unknown as Record<string, unknown>;
    expect(list['left']).toBe(list['original0']);
    expect(list['right']).toBe(list['original2']);
    expect(list['length']).toBe(1);
    expect(Object.keys(list)).not.toContain('left');
    host.dispose();
  });

  it('keeps the aliases on a parametrized original and in a copy', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Named());
    registerParametrization(parametrizationsOn(host, 'weight'), 'original0', (x) => tf.add(x, 1));
    const list = parametrizationsOn(host, 'weight') as unknown as Record<string, tf.Tensor>;
    inTidy(() => expect(list['left']).toBeAllClose(tf.ones([3, 3])));
    const copy = host.clone();
    const copied = parametrizationsOn(copy, 'weight') as unknown as Record<string, tf.Tensor>;
    expect(copied['right']).toBe(copied['original2']);
    expect(copied['right']).not.toBe(list['right']);
    copy.dispose();
    host.dispose();
  });

  it('is printed below its host', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    expect(host.toString()).toMatchInlineSnapshot(`
      "Affine(
        (parametrizations): ParametrizationDict(
          (weight): ParametrizationList(
            (0): Double()
          )
        )
      )"
    `);
    host.dispose();
  });

  it('tells shape and dtype of the computed tensor without computing it', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', (x) => tf.reshape(x, [9]), { unsafe: true });
    const list = parametrizationsOn(host, 'weight');
    const { evaluations } = list;
    expect(list.shape).toEqual([9]);
    expect(list.dtype).toBe('float32');
    expect(list.evaluations).toBe(evaluations);
    host.dispose();
  });

  it('cannot be written to by accident', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const list = parametrizationsOn(host, 'weight') as unknown as Record<string, unknown>;
    for (const name of ['original', '0', 'length', 'shape']) {
      expect(() => {
        list[name] = numbers(3);
      }).toThrow(TypeError);
    }
    expect(() => {
      (host.parametrizations as unknown as Record<string, unknown>)['weight'] = null;
    }).toThrow(TypeError);
    host.dispose();
  });
});
