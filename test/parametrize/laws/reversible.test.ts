import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  nn,
  Parametrization,
  pure,
  registerParametrization,
  removeParametrizations,
  weightNorm,
} from '../../../src/index.ts';
import { flatten } from '../../toBeAllClose.ts';
import { Net, specimens } from './specimens.ts';

/** All that registration and removal could change about a host and its variables. */
function snapshot(host: object) {
  const properties = Object.getOwnPropertyDescriptors(host);
  return {
    keys: Reflect.ownKeys(host),
    descriptors: properties,
    variables: Object.values(properties)
      .map(({ value }) => value as unknown)
      .filter((value): value is tf.Variable => value instanceof tf.Variable)
      .map((variable) => ({ variable, name: variable.name, trainable: variable.trainable })),
    state: host instanceof nn.Module ? Object.keys(host.stateDict()) : [],
  };
}

describe('L6: register, then remove', () => {
  it.each(Object.keys(specimens))('restores descriptor, order, names and the variable itself: %s', (name) => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), fc.boolean(), (trainable, leave, training) => {
        const net = new Net().train(training);
        (net.weight as tf.Variable).trainable = trainable;
        const before = snapshot(net);
        const value = flatten(net.weight);
        const maps = specimens[name]!.map((make) => make());
        for (const map of maps) registerParametrization(net, 'weight', map);
        expect(Object.keys(net)).not.toContain('weight');
        const several = net.parametrizations!['weight']!.original === undefined;
        removeParametrizations(net, 'weight', { leaveParametrized: leave || several });
        expect(snapshot(net)).toEqual(before);
        if (name.startsWith('weightNorm') && maps.length === 1) expect(net.weight).toBeAllClose(value);
        net.dispose();
        for (const map of maps) map.dispose();
      }),
      { numRuns: 8 },
    );
  });

  it('works on plain objects and class instances, whose keys it leaves alone', () => {
    class Layer {
      first = 1;
      kernel: tf.Tensor = nn.parameter(() => tf.ones([2, 2]));
      last = 'x';
    }
    for (const host of [
      new Layer(),
      { kernel: nn.parameter(() => tf.ones([2, 2])) as tf.Tensor, other: 3 },
    ]) {
      const before = snapshot(host);
      registerParametrization(
        host,
        'kernel',
        pure((x) => tf.mul(x, 2)),
      );
      expect(Object.keys(host)).toEqual(before.keys.filter((key) => key !== 'kernel'));
      expect(host.kernel).toBeAllClose([2, 2, 2, 2]);
      removeParametrizations(host, 'kernel');
      expect(snapshot(host)).toEqual(before);
      host.kernel.dispose();
    }
  });

  it('makes a new variable of the old name where no original has the shape of the value', () => {
    class Outer extends Parametrization {
      override forward(a: tf.Tensor, b: tf.Tensor): tf.Tensor {
        return tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D);
      }
      override rightInverse(): [tf.Tensor, tf.Tensor] {
        return [tf.ones([3]), tf.ones([2])];
      }
    }
    const net = new Net();
    const old = net.weight as tf.Variable;
    registerParametrization(net, 'weight', new Outer());
    expect(old.isDisposed).toBe(true);
    removeParametrizations(net, 'weight');
    expect(net.weight).not.toBe(old);
    expect((net.weight as tf.Variable).name).toBe(old.name);
    expect(Object.keys(net.stateDict())).toEqual(['weight', 'bias']);
    expect(net.weight).toBeAllClose([1, 1, 1, 1, 1, 1]);
    net.dispose();
  });

  it('leaves a map that the caller passed in to the caller', () => {
    const net = new Net();
    const [map] = specimens['scaled']!.map((make) => make());
    registerParametrization(net, 'weight', map!);
    removeParametrizations(net, 'weight');
    expect(map!.parameters()[0]!.isDisposed).toBe(false);
    registerParametrization(net, 'weight', map!);
    net.dispose();
    map!.dispose();
  });
});

describe('L6: removal computes in the right mode', () => {
  /** Random in training, and counts. */
  class Drop extends Parametrization {
    n: tf.Tensor = nn.buffer(() => tf.scalar(0));
    override forward(x: tf.Tensor): tf.Tensor {
      if (!this.training) return tf.clone(x);
      (this.n as tf.Variable).assign(tf.add(this.n, 1));
      return tf.dropout(x, 0.5);
    }
  }

  for (const leaveParametrized of [true, false]) {
    it(`where an original is parametrized itself, leaveParametrized: ${leaveParametrized}`, () => {
      const net = new Net();
      const before = snapshot(net);
      const value = flatten(net.weight);
      const drop = new Drop();
      registerParametrization(net, 'weight', { forward: (x) => tf.mul(x, 2), isPure: () => true });
      registerParametrization(net.parametrizations!['weight']!, 'original', drop);
      removeParametrizations(net, 'weight', { leaveParametrized });
      expect(net.weight).toBeAllClose(value.map((x) => (leaveParametrized ? 2 * x : x)));
      expect(drop.n).toBeAllClose([0]);
      expect(snapshot(net)).toEqual(before);
      net.dispose();
      drop.dispose();
    });
  }

  it('keeps the very variable through a nested chain of several originals', () => {
    const net = weightNorm(new Net());
    const value = flatten(net.weight);
    const { weight: list } = net.parametrizations!;
    const old = list!.v;
    weightNorm(list!, 'original1');
    removeParametrizations(net, 'weight');
    expect(net.weight).toBe(old);
    expect(net.weight).toBeAllClose(value);
    net.dispose();
  });
});
