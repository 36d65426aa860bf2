import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  cached,
  clone,
  isParametrized,
  nn,
  pure,
  registerParametrization,
  removeParametrizations,
  weightNorm,
} from '../../../src/index.ts';
import { flatten } from '../../toBeAllClose.ts';
import { Net, specimens, write } from './specimens.ts';

const state = (net: nn.Module) => Object.values(net.stateDict()).map(flatten);

describe('L8: a copy is independent', () => {
  it.each(Object.keys(specimens))(
    'reading, caching, training and removing on it never touch the source: %s',
    (name) => {
      const net = new Net();
      const maps = specimens[name]!.map((make) => make());
      for (const map of maps) registerParametrization(net, 'weight', map);
      const before = state(net);
      const copy = net.clone();
      expect(state(copy)).toEqual(before);
      expect(Object.keys(copy.stateDict())).toEqual(Object.keys(net.stateDict()));
      for (const [key, variable] of Object.entries(copy.stateDict()))
        expect(variable).not.toBe(net.stateDict()[key]);
      for (const [i, step] of [...copy.parametrizations!['weight']!].entries())
        expect(step).not.toBe(maps[i]);

      cached(() =>
        tf.tidy(() => {
          write(copy.bias, () => tf.ones([3]));
          const [a, b] = [copy.eval().weight, net.eval().weight];
          expect(a).not.toBe(b);
          expect(a).toBeAllClose(b);
          write(copy.parameters()[1]!, () => tf.ones(copy.parameters()[1]!.shape));
        }),
      );
      net.train();
      const optimizer = tf.train.adam(0.1);
      optimizer.minimize(() => tf.sum(tf.square(copy.weight)), false, copy.parameters());
      optimizer.dispose();
      removeParametrizations(copy, 'weight');
      expect(isParametrized(copy)).toBe(false);
      expect(isParametrized(net)).toBe(true);
      copy.dispose();
      expect(state(net)).toEqual(before);
      net.dispose();
      for (const map of maps) map.dispose();
    },
  );

  it('gives each of two copies its own value inside cached', () => {
    const net = weightNorm(new Net());
    const copy = net.clone();
    cached(() => {
      tf.tidy(() => void net.weight);
      write(copy.parametrizations!['weight']!.g!, () => tf.zeros([3, 1]));
      tf.tidy(() => {
        expect(copy.weight).toBeAllClose([0, 0, 0, 0, 0, 0]);
        expect(net.weight).not.toBeAllClose([0, 0, 0, 0, 0, 0]);
      });
    });
    net.dispose();
    expect(copy.weight).toBeAllClose([0, 0, 0, 0, 0, 0]);
    copy.dispose();
  });

  it('keeps ties inside the copy', () => {
    class Tied extends nn.Module {
      a = new Net();
      b = this.a;
      list = [this.a, 1];
      map = new Map([['a', this.a as nn.Module]]);
      options = { inner: new Set([this.a]) };
      override forward(): void {}
      override namedChildren(): [string, nn.Module][] {
        return [['a', this.a]];
      }
    }
    const tied = new Tied();
    weightNorm(tied.a);
    const copy = tied.clone();
    expect(copy.b).toBe(copy.a);
    expect(copy.list[0]).toBe(copy.a);
    expect(copy.map.get('a')).toBe(copy.a);
    expect(copy.options.inner.has(copy.a)).toBe(true);
    expect(copy.a).not.toBe(tied.a);
    copy.a.dispose();
    expect(tied.a.weight.isDisposed).toBe(false);
    tied.a.dispose();
  });

  it('copies plain objects, nested chains and functions', () => {
    const host: { weight: tf.Tensor; note: string } = { weight: nn.parameter(() => tf.ones([2])), note: 'x' };
    const double = pure((x) => tf.mul(x, 2));
    registerParametrization(host, 'weight', double);
    const list = (host as unknown as { parametrizations: { weight: nn.Module & { original: tf.Tensor } } })
      .parametrizations.weight;
    registerParametrization(
      list,
      'original',
      pure((x) => tf.add(x, 1)),
    );
    expect(host.weight).toBeAllClose([4, 4]);
    const copy = clone(host);
    expect(copy.weight).toBeAllClose([4, 4]);
    removeParametrizations(host, 'weight');
    host.weight.dispose();
    expect(copy.weight).toBeAllClose([4, 4]);
    expect(copy.note).toBe('x');
    removeParametrizations(copy, 'weight');
    expect(copy.weight).toBeAllClose([4, 4]);
    copy.weight.dispose();
  });

  it('lets a class with private fields make its own copy', () => {
    class Private extends nn.Module {
      #secret = 1;
      inner = new Net();
      override forward(): number {
        return this.#secret;
      }
      override clone(): this {
        const copy = new Private();
        copy.#secret = this.#secret + 1;
        return copy as this;
      }
    }
    const outer = new nn.Sequential(new Private());
    const copy = outer.clone();
    expect((copy as unknown as Record<string, Private>)['0']!.forward()).toBe(2);
    outer.dispose();
    copy.dispose();
  });
});
