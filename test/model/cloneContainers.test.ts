import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { clone, isParametrized, nn, weightNorm } from '../../src/index.ts';

const ones = (): tf.Variable => nn.parameter(() => tf.ones([2]));

class OwnClone extends nn.Module {
  weight: tf.Tensor = ones();
  override forward(): void {}
  override clone(): this {
    return new OwnClone() as this;
  }
}

describe('clone of a container', () => {
  it('is a real array, with its ties', () => {
    const weight = ones();
    const copy = clone([weight, weight, 'text'] as const);
    expect(Array.isArray(copy)).toBe(true);
    expect(copy.length).toBe(3);
    expect(copy[0]).toBe(copy[1]);
    expect(copy[0]).not.toBe(weight);
    expect(copy[2]).toBe('text');
    tf.dispose([weight, copy[0]]);
  });

  it('is a real Map or Set, also of parametrized modules', () => {
    const layer = weightNorm(new nn.Linear(2, 2));
    const map = clone(new Map([['a', layer]]));
    const set = clone(new Set([layer]));
    const copies = [map.get('a')!, ...set];
    expect([map.size, set.size]).toEqual([1, 1]);
    for (const copy of copies) {
      expect(copy).not.toBe(layer);
      expect(isParametrized(copy, 'weight')).toBe(true);
      expect(copy.weight).toBeAllClose(layer.weight);
      copy.dispose();
    }
    expect(layer.parametrizations!['weight']!.g!.isDisposed).toBe(false);
    layer.dispose();
  });

  it('comes to an end on a cycle', () => {
    const ring: { weight: tf.Variable; list: unknown[]; self?: unknown } = { weight: ones(), list: [] };
    ring.self = ring;
    ring.list.push(ring.list, ring);
    const copy = clone(ring);
    expect(copy.self).toBe(copy);
    expect(copy.list[0]).toBe(copy.list);
    expect(copy.list[1]).toBe(copy);
    const list = clone(ring.list);
    expect(list[0]).toBe(list);
    expect(list[1]).not.toBe(ring);
    tf.dispose([ring.weight, copy.weight, (list[1] as typeof ring).weight]);
  });
});

describe('clone of a tensor', () => {
  it('is for variables: another one, of another name, with the same mark and flag', () => {
    const buffer = nn.buffer(() => tf.ones([2]));
    const copy = clone(buffer);
    expect(copy.name).not.toBe(buffer.name);
    expect(copy.trainable).toBe(false);
    const holder = Object.assign(new OwnClone(), { state: copy });
    expect(holder.buffers()).toEqual([copy]);
    tf.tidy(() => copy.assign(tf.zeros([2])));
    expect(buffer).toBeAllClose([1, 1]);
    buffer.dispose();
    holder.dispose();
  });

  it('refuses other tensors and typed arrays, which would be broken copies', () => {
    const tensor = tf.ones([2]);
    expect(() => clone(tensor)).toThrow('clone: Tensor holds no variables. Use tf.clone(tensor).');
    expect(() => clone(new Float32Array(2))).toThrow('clone: Float32Array holds no variables. Use slice().');
    expect(tensor).toBeAllClose([1, 1]);
    tensor.dispose();
  });

  it('refuses a disposed variable', () => {
    const variable = ones();
    variable.dispose();
    expect(() => clone(variable)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });
});

describe('a failing clone', () => {
  it.each([
    ['an object', (parts: object) => parts],
    ['an array', (parts: object) => [parts]],
    ['a map', (parts: object) => new Map([[parts, parts]])],
  ])('disposes what it made, also by the clone() of a class: %s', (_, wrap) => {
    const own = new OwnClone();
    const layer = weightNorm(new nn.Linear(2, 2));
    const dead = ones();
    dead.dispose();
    const { numTensors } = tf.memory();
    expect(() => clone(wrap({ own, layer, weight: own.weight, dead }))).toThrow(
      expect.objectContaining({ code: 'DISPOSED' }),
    );
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(own.weight.isDisposed).toBe(false);
    own.dispose();
    layer.dispose();
  });
});
