import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  cached,
  fold,
  nn,
  Parametrization,
  parametrizationsOn,
  pure,
  registerParametrization,
  weightNorm,
} from '../../../src/index.ts';
import { Net, optimizers, specimens } from './specimens.ts';

const rowNorms = (w: tf.Tensor) => tf.sqrt(tf.sum(tf.square(w), 1, true));
const byHand = (net: Net) => {
  const { g, v } = net.parametrizations!['weight']!;
  return tf.mul(g!, tf.div(v!, rowNorms(v!)));
};
const pause = () => new Promise((resolve) => setTimeout(resolve, 1));

/** `y = factor · x + shift`, in eval mode `−y`; then the module that it may be given. */
class Times extends nn.Module {
  factor: tf.Tensor;
  shift: tf.Tensor;
  declare next?: nn.Module;

  constructor(factor: number, shift: number) {
    super();
    this.factor = nn.parameter(() => tf.scalar(factor));
    this.shift = nn.parameter(() => tf.scalar(shift));
  }

  forward(x: tf.Tensor): tf.Tensor {
    const y = tf.add(tf.mul(x, this.factor), this.shift);
    const z = this.training ? y : tf.neg(y);
    return this.next === undefined ? z : (this.next.call(z) as tf.Tensor);
  }
}
const times = (factor: number): Times => new Times(factor, 0);
const shifted = (shift: number): Times => new Times(1, shift);

describe('L3: an entry is never stale', () => {
  it.each(Object.keys(optimizers))('a whole training loop in cached equals the uncached loop: %s', (name) => {
    const losses = [false, true].map((inScope) => {
      const net = new Net();
      weightNorm(net);
      const list = net.parametrizations!['weight']!;
      const optimizer = optimizers[name]!();
      const x = tf.randomNormal([5, 2], 0, 1, 'float32', 9);
      const seen: number[] = [];
      const loop = () => {
        for (let i = 0; i < 6; i++) {
          const cost = optimizer.minimize(
            () => tf.mean(tf.square(tf.sub(net.call(x), 1))) as tf.Scalar,
            true,
            net.parameters(),
          )!;
          seen.push(cost.dataSync()[0]!);
          cost.dispose();
          tf.tidy(() => seen.push(tf.sum(net.weight).dataSync()[0]!, tf.sum(net.weight).dataSync()[0]!));
        }
      };
      const start = list.evaluations;
      if (inScope) {
        cached(loop);
        expect(list.evaluations - start, 'one on each tape, one after each step').toBe(12);
      } else loop();
      net.dispose();
      x.dispose();
      optimizer.dispose();
      (optimizer as unknown as { c?: tf.Tensor }).c?.dispose();
      return seen;
    });
    expect(losses[1]).toEqual(losses[0]);
  });

  it('tasks that overlap never see each other’s old values', async () => {
    const net = new Net();
    weightNorm(net);
    const { g } = net.parametrizations!['weight']!;
    const reader = cached(async () => {
      for (let i = 0; i < 8; i++) {
        tf.tidy(() => {
          expect(net.weight).toBeAllClose(byHand(net));
        });
        await pause();
      }
    });
    const writer = cached(async () => {
      for (let i = 0; i < 12; i++) {
        const next = tf.mul(g!, 1.1);
        g!.assign(next);
        next.dispose();
        tf.tidy(() => {
          expect(net.weight).toBeAllClose(byHand(net));
        });
        await pause();
      }
    });
    await Promise.all([reader, writer]);
    net.dispose();
  });

  it('records what a map depends on after the evaluation, so that a map that writes its state is not stale at once', () => {
    const net = new Net();
    const [map] = specimens['counting']!.map((make) => make());
    registerParametrization(net, 'weight', map!);
    const list = net.parametrizations!['weight']!;
    const start = list.evaluations;
    cached(() => {
      for (let i = 0; i < 3; i++) tf.tidy(() => void net.weight);
    });
    expect(list.evaluations).toBe(start + 1);
    net.dispose();
    map!.dispose();
  });

  /** Pure, and computes with all kinds of fields, some of which may be missing. */
  class ByParts extends Parametrization {
    net: nn.Module | null = times(2);
    nested = new nn.Sequential(new nn.Sequential(times(3)), times(1));
    nets = new nn.ModuleList<nn.Module>([times(2), shifted(1)]);
    byName = new nn.ModuleDict<nn.Module>({ a: times(13) });
    factors = new nn.ParameterList([nn.parameter(() => tf.scalar(5))]);
    named = new nn.ParameterDict({ a: nn.parameter(() => tf.scalar(3)) });
    gain: tf.Tensor | null = null;
    power: tf.Tensor | number = 1;
    declare extra?: tf.Tensor;

    override forward(x: tf.Tensor): tf.Tensor {
      let y = this.nested.call(this.net === null ? x : (this.net.call(x) as tf.Tensor));
      for (const net of this.nets) y = net.call(y) as tf.Tensor;
      for (const net of this.byName.values()) y = net.call(y) as tf.Tensor;
      for (const factor of this.factors) y = tf.mul(y, factor);
      for (const factor of this.named.values()) y = tf.mul(y, factor);
      for (const gain of [this.gain, this.power, this.extra]) if (gain != null) y = tf.mul(y, gain);
      return y;
    }

    override isPure(): boolean {
      return true;
    }
  }

  const two = () => nn.parameter(tf.scalar(2));
  const lastOf = (net: nn.Module): Times => net.modules().at(-1) as Times;

  /** Assigns a field, and returns what stood there. */
  const put = (owner: object, field: PropertyKey, value: unknown): unknown[] => {
    const old: unknown = Reflect.get(owner, field);
    Reflect.set(owner, field, value);
    return [old];
  };
  const take = (owner: object, field: PropertyKey): unknown[] => {
    const old: unknown = Reflect.get(owner, field);
    Reflect.deleteProperty(owner, field);
    return [old];
  };

  // Each returns what the map holds no longer, which is the test's to dispose.
  const changes: Record<string, (map: ByParts) => unknown> = {
    'a module is replaced': (map) => put(map, 'net', times(5)),
    'a module is set to null': (map) => put(map, 'net', null),
    'a parameter stands where null was': (map) => put(map, 'gain', two()),
    'a parameter stands where a number was': (map) => put(map, 'power', two()),
    'a parameter stands where nothing was': (map) => put(map, 'extra', two()),
    'a module is deleted': (map) => [...take(map, 'net'), ...put(map, 'net', null)],
    'a module deep below is replaced': (map) => put(map.nested.at(0), 0, times(7)),
    'a parameter of a module deep below is replaced': (map) =>
      put(lastOf(map.nested.at(0)), 'factor', nn.parameter(tf.scalar(11))),
    'a module gets a module': (map) => put(lastOf(map.nested), 'next', times(2)),
    'a module is appended to a list': (map) => void map.nets.append(times(3)),
    'a module is put behind a list': (map) => put(map.nets, 2, times(3)),
    'a module of a list is replaced': (map) => put(map.nets, 0, times(5)),
    'the last module of a list is deleted': (map) => take(map.nets, 1),
    'a list is put in another order': (map) => {
      [map.nets[0], map.nets[1]] = [map.nets[1]!, map.nets[0]!];
    },
    'a module is added to a dictionary': (map) => void map.byName.set('b', times(2)),
    'a module of a dictionary is replaced': (map) =>
      [map.byName.get('a'), map.byName.set('a', times(2))].slice(0, 1),
    'a module of a dictionary is deleted': (map) => take(map.byName, 'a'),
    'a parameter is appended to a list': (map) => void map.factors.append(two()),
    'a parameter of a list is replaced': (map) => put(map.factors, 0, two()),
    'a parameter is added to a dictionary': (map) => void map.named.set('b', two()),
    'a parameter of a dictionary is replaced': (map) =>
      [map.named.get('a'), map.named.set('a', two())].slice(0, 1),
    'a parameter of a dictionary is deleted': (map) => take(map.named, 'a'),
    'a hook is added': (map) =>
      void map.nets[0]!.registerForwardHook((_module, _args, output) => tf.mul(output as tf.Tensor, 2)),
    'the mode of a module changes': (map) => void map.nested.at(1).eval(),
  };

  it.each(Object.entries(changes))('sees that %s, in cached and outside', (_what, change) => {
    for (const scope of [<T>(fn: () => T) => fn(), cached]) {
      const net: { weight: tf.Tensor } = { weight: nn.parameter(() => tf.scalar(1)) };
      const map = new ByParts();
      registerParametrization(net, 'weight', map);
      scope(() => {
        const before = net.weight.dataSync()[0];
        expect(net.weight.dataSync()[0]).toBe(before);
        const gone = change(map);
        const after = tf.tidy(() => net.weight.dataSync()[0]);
        expect(after).not.toBe(before);
        expect(after).toBe(tf.tidy(() => parametrizationsOn(net, 'weight').forward().dataSync()[0]));
        for (const part of [gone].flat()) (part as { dispose?: () => void } | null | undefined)?.dispose?.();
      });
      fold(net);
      net.weight.dispose();
      map.dispose();
    }
  });

  it('sees the changes below an original that is parametrized itself', () => {
    const net: { weight: tf.Tensor } = { weight: nn.parameter(() => tf.scalar(1)) };
    registerParametrization(
      net,
      'weight',
      pure((x) => tf.mul(x, 10)),
    );
    const map = new ByParts();
    registerParametrization(parametrizationsOn(net, 'weight'), 'original', map);
    const before = net.weight.dataSync()[0]!;
    map.gain = two();
    expect(net.weight.dataSync()[0]).toBe(before * 2);
    fold(net);
    net.weight.dispose();
    map.dispose();
  });

  it('sees a plain field only after invalidate, and stays fresh as long', () => {
    const net: { weight: tf.Tensor } = { weight: nn.parameter(() => tf.scalar(1)) };
    const map = new ByParts();
    registerParametrization(net, 'weight', map);
    const list = parametrizationsOn(net, 'weight');
    const before = net.weight.dataSync()[0]!;
    const start = list.evaluations;
    map.power = 3;
    net.weight;
    net.weight;
    expect(list.evaluations).toBe(start);
    map.invalidate();
    expect(net.weight.dataSync()[0]).toBe(before * 3);
    fold(net);
    net.weight.dispose();
    map.dispose();
  });

  it('stores nothing while the forward of a customGrad runs', () => {
    const net = new Net();
    weightNorm(net);
    const x = tf.ones([3, 2]);
    const { g, v } = net.parametrizations!['weight']!;
    cached(() =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const op = tf.customGrad((a) => ({
            value: tf.mul(
              a as tf.Tensor,
              tf.tidy(() => tf.sum(net.weight)),
            ),
            gradFunc: (dy: tf.Tensor) => dy,
          }));
          return tf.add(tf.sum(op(x)), tf.sum(tf.square(net.weight))) as tf.Scalar;
        }, [g!, v!]);
        expect(Object.keys(grads).sort()).toEqual([g!.name, v!.name].sort());
      }),
    );
    net.dispose();
    x.dispose();
  });

  // On wasm tfjs's own check takes every tensor that a tape saves for a leak.
  it.runIf(process.env['TFJS_BACKEND'] === 'cpu')(
    'leaves no data behind in a kernel, which tfjs checks in tests',
    () => {
      tf.env().set('IS_TEST', true);
      const net = weightNorm(new Net());
      const x = tf.ones([3, 2]);
      try {
        cached(() =>
          tf.tidy(() => {
            const op = tf.customGrad((a) => ({
              value: tf.mul(
                a as tf.Tensor,
                tf.tidy(() => tf.sum(net.weight)),
              ),
              gradFunc: (dy: tf.Tensor) => dy,
            }));
            tf.grad((a) => tf.sum(op(a)))(x);
            op(x);
            tf.grad((a) => tf.sum(tf.mul(a, net.weight)))(x);
          }),
        );
      } finally {
        tf.env().set('IS_TEST', false);
      }
      net.dispose();
      x.dispose();
    },
  );

  it('does not serve what an evaluation that threw has left', () => {
    let fail = false;
    class Fragile extends Parametrization {
      override forward(x: tf.Tensor): tf.Tensor {
        const half = tf.mul(x, 2);
        if (fail) throw new Error('half-way');
        return half;
      }
      override isPure(): boolean {
        return true;
      }
    }
    const net = new Net();
    const map = new Fragile();
    registerParametrization(net, 'weight', map);
    const before = tf.memory().numTensors;
    fail = true;
    map.invalidate();
    expect(() => net.weight).toThrow('half-way');
    expect(() => cached(() => net.weight)).toThrow('half-way');
    expect(() => tf.tidy(() => net.weight)).toThrow('half-way');
    expect(tf.memory().numTensors).toBe(before);
    fail = false;
    expect(net.weight).toBeAllClose(
      tf.tidy(() => [...tf.mul(map.forward(net.parametrizations!['weight']!.original!), 1).dataSync()]),
    );
    net.dispose();
  });
});
