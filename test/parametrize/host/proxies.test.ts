import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  cached,
  clone,
  describe as describeModel,
  fold,
  invalidate,
  isParametrized,
  nn,
  parametrizationsOn,
  removeParametrizations,
  spectralNorm,
  valueOf,
  weightNorm,
} from '../../../src/index.ts';
import { flatten } from '../../toBeAllClose.ts';

const shallow = <T extends object>(target: T): T => new Proxy(target, {});

/** Wraps whatever it hands out, as the proxies of Vue do, but for objects that ask to be left alone. */
const reactive = <T extends object>(target: T): T =>
  '__v_skip' in target || !Object.isExtensible(target) ? target : wrapped(target, reactive);

/** Wraps whatever it hands out. */
const deep = <T extends object>(target: T): T => wrapped(target, deep);

function wrapped<T extends object>(target: T, wrap: <V extends object>(value: V) => V): T {
  const known = proxies.get(target);
  if (known !== undefined) return known as T;
  const proxy = new Proxy(target, {
    get(object, key, receiver) {
      const value: unknown = Reflect.get(object, key, receiver);
      return typeof value === 'object' && value !== null ? wrap(value) : value;
    },
  });
  proxies.set(target, proxy);
  return proxy;
}
const proxies = new WeakMap<object, object>();

const hosts: Record<string, () => { weight: tf.Tensor }> = {
  'a module': () => new nn.Linear(2, 2),
  'a plain object': () => ({ weight: nn.parameter(tf.ones([2, 2])) }),
};

describe.each(Object.entries(hosts))('%s behind a proxy', (_host, make) => {
  const ways: [string, (target: { weight: tf.Tensor }) => { weight: tf.Tensor }[]][] = [
    ['registered on the target', (target) => [target, shallow(target)]],
    ['registered on the proxy', (target) => [shallow(target), target]],
    ['registered on one proxy, used through another', (target) => [shallow(target), shallow(target)]],
  ];

  it.each(ways)('is the same to every function: %s', (_way, both) => {
    const target = make();
    const keys = Reflect.ownKeys(target);
    const [one, other] = both(target) as [typeof target, typeof target];
    weightNorm(one, 'weight', { dim: 0 });
    expect([isParametrized(one, 'weight'), isParametrized(other, 'weight'), isParametrized(target)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(parametrizationsOn(one, 'weight')).toBe(parametrizationsOn(other, 'weight'));
    expect([describeModel(one).rows.length, describeModel(other).rows.length]).toEqual([1, 1]);
    cached(() => {
      expect(one.weight).toBe(other.weight);
      expect(valueOf(other, 'weight')).toBe(valueOf(one, 'weight'));
    });
    const { evaluations } = parametrizationsOn(one, 'weight');
    invalidate(other);
    one.weight;
    expect(parametrizationsOn(one, 'weight').evaluations).toBe(evaluations + 1);
    tf.tidy(() => {
      other.weight = tf.fill([2, 2], 3);
      expect(flatten(one.weight)).toEqual([3, 3, 3, 3].map((x) => expect.closeTo(x, 5)));
    });
    const copy = clone(other);
    expect(isParametrized(copy, 'weight')).toBe(true);
    expect(isParametrized(shallow(copy), 'weight')).toBe(true);
    expect(fold(shallow(copy))).toEqual(['weight']);
    expect(isParametrized(one, 'weight'), 'a copy is independent').toBe(true);
    expect(() => weightNorm(other, 'nothing' as 'weight')).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_TENSOR' }),
    );
    removeParametrizations(other, 'weight');
    expect([isParametrized(one), isParametrized(other), Reflect.ownKeys(target)]).toEqual([
      false,
      false,
      keys,
    ]);
    spectralNorm(other, 'weight');
    expect(fold(one)).toEqual(['weight']);
    expect(target.weight).toBeInstanceOf(tf.Variable);
    tf.dispose([target.weight, copy.weight]);
    for (const host of [target, copy]) if (host instanceof nn.Module) host.dispose();
  });
});

describe('a module behind a proxy', () => {
  it('is called, trained, saved and disposed through either', () => {
    const net = new nn.Sequential(weightNorm(new nn.Linear(2, 2)), new nn.Dropout(0.5));
    const proxy = shallow(net);
    const calls: nn.Module[] = [];
    proxy.registerForwardHook((module) => void calls.push(module));
    proxy.eval();
    expect([net.training, net.at(1).training]).toEqual([false, false]);
    const x = tf.ones([1, 2]);
    const [a, b] = [net.call(x), proxy.call(x)];
    expect(flatten(a)).toEqual(flatten(b));
    expect(calls).toEqual([net, net]);
    expect(proxy.parameters()).toEqual(net.parameters());
    expect(Object.keys(proxy.stateDict())).toEqual(Object.keys(net.stateDict()));
    tf.dispose([x, a, b]);
    proxy.dispose();
    expect(() => net.call(x)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    net.dispose();
  });

  it('is found behind a child that is held as a proxy', () => {
    const child = new nn.Linear(2, 2);
    const net = new nn.Sequential(shallow(child));
    weightNorm(child);
    expect(fold(net)).toEqual(['0.weight']);
    expect(isParametrized(child)).toBe(false);
    net.dispose();
  });

  it('copies a tensor that was assigned through the proxy into its parameter', () => {
    const layer = new nn.Linear(2, 2);
    const [variable] = layer.parameters() as [tf.Variable];
    const value = tf.fill([2, 2], 5);
    shallow(layer).weight = value;
    expect(shallow(layer).parameters()[0]).toBe(variable);
    expect(flatten(layer.weight)).toEqual([5, 5, 5, 5]);
    value.dispose();
    layer.dispose();
  });

  it('cannot hold a variable behind a proxy', () => {
    const layer = new nn.Linear(2, 2);
    const { weight } = layer;
    layer.weight = deep(weight);
    const unsupported = expect.objectContaining({ code: 'UNSUPPORTED_HOST' });
    expect(() => layer.parameters()).toThrow(unsupported);
    expect(() => layer.stateDict()).toThrow(unsupported);
    expect(() => weightNorm({ weight: deep(weight) })).toThrow(unsupported);
    layer.weight = weight;
    expect(layer.parameters()[0]).toBe(weight);
    layer.dispose();
  });

  it('is left alone by Vue, which would wrap its tensors', () => {
    const state = reactive({ model: new nn.Linear(2, 2) });
    expect(state.model.weight).toBeInstanceOf(tf.Variable);
    expect(state.model.parameters()).toContain(state.model.weight);
    weightNorm(state.model);
    const x = tf.ones([1, 2]);
    state.model.call(x).dispose();
    x.dispose();
    state.model.dispose();
  });
});

describe('a plain object in the deep proxies of Vue', () => {
  it('is registered through the proxy, whose tensors are those of the object', () => {
    const target = { weight: nn.parameter(() => tf.ones([2, 2])) as tf.Tensor };
    const proxy = reactive({ layer: target }).layer;
    expect(proxy.weight).toBe(target.weight);
    weightNorm(proxy, 'weight');
    expect([isParametrized(target, 'weight'), isParametrized(proxy, 'weight')]).toEqual([true, true]);
    tf.tidy(() => {
      proxy.weight = tf.fill([2, 2], 3);
      expect(flatten(tf.matMul(proxy.weight, target.weight))).toEqual(Array(4).fill(expect.closeTo(18, 4)));
    });
    expect(fold(target)).toEqual(['weight']);
    proxy.weight.dispose();
  });
});

describe('an object that MobX observes', () => {
  it('has getters for fields, and is refused with the remedy', () => {
    const weight = nn.parameter(() => tf.ones([2, 2]));
    const observed = Object.defineProperty({} as { weight: tf.Tensor }, 'weight', {
      get: () => weight,
      enumerable: true,
      configurable: true,
    });
    expect(() => weightNorm(observed)).toThrow(expect.objectContaining({ code: 'UNKNOWN_TENSOR' }));
    expect(() => weightNorm(observed)).toThrow(/observable\.ref/);
    weight.dispose();
  });
});

describe('a plain object behind a proxy that wraps its tensors', () => {
  it('is refused with the remedy, and nothing has changed', () => {
    const target = { weight: nn.parameter(() => tf.ones([2, 2])) };
    const keys = Reflect.ownKeys(target);
    const proxy = deep({ layer: target }).layer;
    expect(() => weightNorm(proxy)).toThrow(/markRaw/);
    expect(() => weightNorm(proxy)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_HOST' }));
    expect([Reflect.ownKeys(target), isParametrized(target)]).toEqual([keys, false]);
    target.weight.dispose();
  });

  it('is removed, folded and described through the proxy if the object itself was registered', () => {
    const target = weightNorm({ weight: nn.parameter(() => tf.ones([2, 2])) });
    const proxy = reactive(target);
    expect([isParametrized(proxy, 'weight'), describeModel(proxy).rows.length]).toEqual([true, 1]);
    expect(valueOf(proxy, 'weight')).toBe(valueOf(target, 'weight'));
    expect(fold(proxy)).toEqual(['weight']);
    expect([isParametrized(target), target.weight instanceof tf.Variable]).toEqual([false, true]);
    target.weight.dispose();
  });
});
