import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  Parametrization,
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, inTidy, read } from '../fixtures.ts';

class PureDouble extends Parametrization {
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, 2);
  }
  override rightInverse(y: tf.Tensor): tf.Tensor {
    return tf.div(y, 2);
  }
  override isPure(): boolean {
    return true;
  }
}

describe('hooks on a parametrization', () => {
  it('run on every read, before and after forward, and may replace argument and value', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    const map = new Double();
    const log: string[] = [];
    map.registerForwardPreHook((_, [x]) => {
      log.push('pre');
      return [tf.add(x as tf.Tensor, 1)];
    });
    const handle = map.registerForwardHook((_, __, y) => {
      log.push('post');
      return tf.neg(y as tf.Tensor);
    });
    registerParametrization(host, 'weight', map);
    log.length = 0;
    inTidy(() => expect(host.weight).toBeAllClose(tf.neg(tf.add(before, 2))));
    expect(log).toEqual(['pre', 'post']);
    handle.remove();
    inTidy(() => expect(host.weight).toBeAllClose(tf.add(before, 2)));
    host.dispose();
  });

  it('take effect at once on a pure one, whose value was computed before', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    const map = new PureDouble();
    registerParametrization(host, 'weight', map);
    void host.weight;
    const handle = map.registerForwardHook((_, __, y) => tf.neg(y as tf.Tensor));
    inTidy(() => expect(host.weight).toBeAllClose(tf.neg(before)));
    handle.remove();
    inTidy(() => expect(host.weight).toBeAllClose(before));
    host.dispose();
  });

  it('are run on every read also on a pure one: nothing says that a hook is pure', () => {
    const host = new Affine();
    const map = new PureDouble();
    registerParametrization(host, 'weight', map);
    let calls = 0;
    map.registerForwardHook(() => {
      calls++;
    });
    inTidy(() => void [host.weight, host.weight, host.weight]);
    expect(calls).toBe(3);
    host.dispose();
  });

  it('do not run on assignment, and once on removal', () => {
    const host = new Affine();
    const map = new Double();
    registerParametrization(host, 'weight', map);
    let calls = 0;
    map.registerForwardHook(() => {
      calls++;
    });
    const value = tf.zeros([3, 3]);
    host.weight = value;
    expect(calls).toBe(0);
    removeParametrizations(host, 'weight');
    expect(calls).toBe(1);
    value.dispose();
    host.dispose();
  });

  it('let an error through, and the read works again without the hook', () => {
    const host = new Affine();
    const map = new Double();
    registerParametrization(host, 'weight', map);
    const handle = map.registerForwardHook(() => {
      throw new RangeError('hooked');
    });
    const { numTensors } = tf.memory();
    expect(() => host.weight).toThrow('hooked');
    expect(tf.memory().numTensors).toBe(numTensors);
    handle.remove();
    read(host);
    host.dispose();
  });
});

describe('hooks on a host', () => {
  it('see the computed tensor, and stay through registration and removal', () => {
    const host = new Affine();
    const seen: unknown[] = [];
    host.registerForwardPreHook((module) => void seen.push(inTidy(() => module.weight.arraySync())));
    const x = tf.ones([1, 3]);
    const call = () => host.call(x).dispose();
    call();
    registerParametrization(host, 'weight', (w) => tf.mul(w, 2));
    call();
    removeParametrizations(host, 'weight', { leaveParametrized: false });
    call();
    inTidy(() => expect(seen[1] as number[][]).toBeAllClose(tf.mul(seen[0] as number[][], 2)));
    expect(seen[2]).toEqual(seen[0]);
    x.dispose();
    host.dispose();
  });

  it('may rename keys before they are loaded into the originals', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    host.registerLoadStateDictPreHook((_, { state, prefix, mapped }) => {
      const key = `${prefix}raw`;
      const value = state.get(key);
      if (value === undefined) return;
      state.delete(key);
      state.set(`${prefix}parametrizations.weight.original`, value);
      mapped({
        from: [key],
        to: [`${prefix}parametrizations.weight.original`],
        actions: [{ kind: 'other', text: 'raw' }],
      });
    });
    const map = { raw: tf.ones([3, 3]), bias: tf.zeros([3]) };
    expect(host.loadStateDict(map).mapped).toHaveLength(1);
    inTidy(() => {
      expect(parametrizationsOn(host, 'weight').original).toBeAllClose(tf.ones([3, 3]));
      expect(host.weight).toBeAllClose(tf.fill([3, 3], 2));
    });
    tf.dispose(map);
    host.dispose();
  });
});
