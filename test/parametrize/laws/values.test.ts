import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  cached,
  invalidate,
  nn,
  Parametrization,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
  weightNorm,
} from '../../../src/index.ts';
import { Counting, Masked, Net, pureSpecimens, specimens, write } from './specimens.ts';

const listOn = (net: Net) => net.parametrizations!['weight']!;

describe('L1: reading gives the value at that moment', () => {
  it.each(Object.keys(specimens))('after an assignment: %s', (name) => {
    const net = new Net().eval();
    const maps = specimens[name]!.map((make) => make());
    for (const map of maps) registerParametrization(net, 'weight', map);
    const before = net.weight;
    const value = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    net.weight = value;
    const after = net.weight;
    // Maps that draw or normalize have no exact inverse; the others give back what was assigned.
    if (!/masked|spectral|orthogonal/.test(name)) expect(after).toBeAllClose(value);
    expect(before === after).toBe(false);
    value.dispose();
    net.dispose();
    for (const map of maps) map.dispose();
  });

  it('after loadStateDict', () => {
    const [a, b] = [new Net(1), new Net(2)];
    weightNorm(a);
    weightNorm(b);
    expect(b.weight).not.toBeAllClose(a.weight);
    b.loadStateDict(a.stateDict());
    expect(b.weight).toBeAllClose(a.weight);
    a.dispose();
    b.dispose();
  });

  it('evaluates a chain that has not declared itself pure on every access outside of cached', () => {
    const net = new Net();
    let calls = 0;
    registerParametrization(net, 'weight', (x: tf.Tensor) => {
      calls++;
      return tf.mul(x, 2);
    });
    calls = 0;
    for (let i = 0; i < 3; i++) net.weight.dispose();
    expect(calls).toBe(3);
    tf.tidy(() => {
      net.weight;
      net.weight;
    });
    expect(calls).toBe(5);
    cached(() => {
      for (let i = 0; i < 4; i++) tf.tidy(() => void net.weight);
    });
    expect(calls).toBe(6);
    net.dispose();
  });

  it.each(pureSpecimens)('answers a pure chain from its entry until something changes: %s', (name) => {
    const net = new Net();
    const maps = specimens[name]!.map((make) => make());
    for (const map of maps) registerParametrization(net, 'weight', map);
    const list = listOn(net);
    const start = list.evaluations;
    for (let i = 0; i < 3; i++) net.weight;
    expect(list.evaluations).toBe(start + 1);
    tf.tidy(() => void net.weight);
    expect(list.evaluations).toBe(start + 1);
    const original = (list.original ?? list.original0)!;
    write(original, () => tf.ones(original.shape));
    net.weight;
    net.weight;
    expect(list.evaluations).toBe(start + 2);
    net.dispose();
    for (const map of maps) map.dispose();
  });

  it('sees every change of what a chain depends on', () => {
    class Affine extends Parametrization {
      scale: tf.Tensor = nn.parameter(() => tf.scalar(2));
      shift: tf.Tensor = nn.buffer(() => tf.scalar(1));
      factor = 1;
      override forward(x: tf.Tensor): tf.Tensor {
        const value = tf.add(tf.mul(x, tf.mul(this.scale, this.factor)), this.shift);
        return this.training ? value : tf.neg(value);
      }
      override isPure(): boolean {
        return true;
      }
    }
    const net: { weight: tf.Tensor } = { weight: nn.parameter(() => tf.scalar(3)) };
    const map = new Affine();
    registerParametrization(net, 'weight', map);
    const read = () => net.weight.dataSync()[0];
    expect(read()).toBe(7);
    write(map.scale, () => tf.scalar(10));
    expect(read(), 'a parameter of the map').toBe(31);
    write(map.shift, () => tf.scalar(0));
    expect(read(), 'a buffer of the map').toBe(30);
    map.eval();
    expect(read(), 'the mode').toBe(-30);
    map.factor = 2;
    map.invalidate();
    expect(read(), 'a plain field, with invalidate()').toBe(-60);
    const old = map.scale;
    map.scale = nn.parameter(() => tf.scalar(1));
    expect(read(), 'a field that holds another variable').toBe(-6);
    old.dispose();
    registerParametrization(
      map,
      'scale',
      pure((x) => tf.mul(x, 5)),
    );
    expect(read(), 'a parametrization on the map').toBe(-30);
    write(parametrizationsOn(map, 'scale').original!, () => tf.scalar(3));
    expect(read(), 'an original of the inner chain').toBe(-90);
    removeParametrizations(map, 'scale');
    expect(read(), 'the removal of the inner chain').toBe(-90);
    removeParametrizations(net, 'weight');
    net.weight.dispose();
    map.dispose();
  });

  it('sees a write into the data of a variable only after invalidate', () => {
    const net = new Net();
    weightNorm(net);
    net.weight;
    const list = listOn(net);
    const start = list.evaluations;
    invalidate(net);
    net.weight;
    invalidate(net, 'weight');
    net.weight;
    expect(list.evaluations).toBe(start + 2);
    net.dispose();
  });

  it('evaluates a chain that is not pure anew after the scope, also in a tidy that was open in it', () => {
    const net = new Net();
    const map = new Masked();
    registerParametrization(net, 'weight', map);
    tf.tidy(() => {
      const inside = cached(() => [net.weight, net.weight]);
      expect(inside[0]).toBe(inside[1]);
      expect(net.weight).not.toBe(inside[0]);
      const again = cached(() => net.weight);
      expect(again).not.toBe(inside[0]);
    });
    net.dispose();
  });

  it('evaluates a stateful map once per entry inside cached', () => {
    const net = new Net();
    const map = new Counting();
    registerParametrization(net, 'weight', map);
    const count = () => map.count.dataSync()[0];
    expect(count(), 'registration leaves the state alone').toBe(0);
    cached(() => {
      net.weight;
      net.weight;
      expect(count()).toBe(1);
      tf.tidy(() => {
        tf.variableGrads(() => tf.add(tf.sum(net.weight), tf.sum(tf.square(net.weight))));
      });
      expect(count(), 'a tape is an entry of its own').toBe(2);
      net.weight;
      expect(count(), 'which also serves the reads after it').toBe(2);
    });
    net.dispose();
    map.dispose();
  });
});
