import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { clone } from '../../../src/model/index.ts';
import { Module, parameter } from '../../../src/nn/index.ts';
import {
  isParametrized,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, inTidy, numbers, read } from '../fixtures.ts';

/** A class of the user's own that knows nothing of modules. */
class Layer {
  kernel: tf.Tensor = parameter(numbers(2, 2));
  readonly units = 2;
  apply(x: tf.Tensor): tf.Tensor {
    return tf.matMul(x as tf.Tensor2D, this.kernel as tf.Tensor2D);
  }
}

describe('a plain object as host', () => {
  it('is read, trained and assigned through the map, and put back as it was', () => {
    const host = { name: 'plain', weight: parameter(numbers(3)) as tf.Tensor, other: 7 };
    const descriptors = Object.getOwnPropertyDescriptors(host);
    const before = read(host) as number[];
    registerParametrization(host, 'weight', new Double());
    inTidy(() => expect(host.weight).toBeAllClose(before));
    const value = tf.zeros([3]);
    host.weight = value;
    inTidy(() => expect(host.weight).toBeAllClose(value));
    const optimizer = tf.train.sgd(1);
    optimizer.minimize(() => tf.sum(host.weight) as tf.Scalar, false, [
      parametrizationsOn(host, 'weight').original!,
    ]);
    inTidy(() => expect(host.weight).toBeAllClose([-4, -4, -4]));
    removeParametrizations(host, 'weight');
    expect(Object.getOwnPropertyDescriptors(host)).toEqual(descriptors);
    expect(Reflect.ownKeys(host)).toEqual(['name', 'weight', 'other']);
    tf.dispose([value, host.weight]);
    optimizer.dispose();
  });

  it('hides the tensor and the chains from loops over its fields, so that a tidy evaluates nothing', () => {
    const host = { weight: parameter(numbers(3)) as tf.Tensor, other: 1 };
    const map = new Double();
    registerParametrization(host, 'weight', map);
    const { calls } = map;
    expect(Object.keys(host)).toEqual(['other']);
    tf.tidy(() => host as unknown as tf.TensorContainer);
    expect(map.calls).toBe(calls);
    removeParametrizations(host, 'weight');
    host.weight.dispose();
  });

  it('may have a null prototype, symbols and numbers as keys', () => {
    const symbol = Symbol('kept');
    const host = Object.assign(Object.create(null), { 0: parameter(numbers(2)), [symbol]: 1 }) as Record<
      string,
      tf.Tensor
    >;
    const variable = host['0']!;
    registerParametrization(host, '0', new Double());
    expect(isParametrized(host, '0')).toBe(true);
    removeParametrizations(host, '0');
    expect(host['0']).toBe(variable);
    expect(Reflect.ownKeys(host)).toEqual(['0', symbol]);
    variable.dispose();
  });

  it('keeps attributes that are not the default', () => {
    const variable = parameter(numbers(2));
    const host = Object.defineProperty({}, 'weight', {
      value: variable,
      enumerable: false,
      writable: false,
      configurable: true,
    }) as { weight: tf.Tensor };
    const before = Object.getOwnPropertyDescriptor(host, 'weight');
    registerParametrization(host, 'weight', new Double());
    removeParametrizations(host, 'weight');
    expect(Object.getOwnPropertyDescriptor(host, 'weight')).toEqual(before);
    variable.dispose();
  });

  it('takes its training mode from a field called training, if it has one', () => {
    const host = { training: false, weight: parameter(numbers(2)) as tf.Tensor };
    const map = new Double();
    registerParametrization(host, 'weight', map);
    expect(map.training).toBe(false);
    removeParametrizations(host, 'weight');
    host.weight.dispose();
  });

  it('reads on through objects that inherit from it', () => {
    const host = { weight: parameter(numbers(2)) as tf.Tensor };
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    const heir = Object.create(host) as { weight: tf.Tensor };
    expect(heir.weight).toBe(host.weight);
    removeParametrizations(host, 'weight');
    host.weight.dispose();
  });
});

describe('an instance of a class as host', () => {
  it('keeps its class and methods, which read the computed tensor', () => {
    const [layer, other] = [new Layer(), new Layer()];
    const x = tf.eye(2);
    registerParametrization(
      layer,
      'kernel',
      pure((k) => tf.mul(k, 2)),
    );
    expect(layer).toBeInstanceOf(Layer);
    expect(layer.constructor).toBe(Layer);
    inTidy(() => expect(layer.apply(x)).toBeAllClose(tf.mul(other.apply(x), 2)));
    removeParametrizations(layer, 'kernel', { leaveParametrized: false });
    inTidy(() => expect(layer.apply(x)).toBeAllClose(other.apply(x)));
    tf.dispose([x, layer.kernel, other.kernel]);
  });

  it('may register in its constructor, and so may a module', () => {
    class Positive {
      kernel: tf.Tensor = parameter(numbers(2));
      constructor() {
        registerParametrization(this, 'kernel', (x) => tf.exp(x));
      }
    }
    class Skewed extends Module {
      weight: tf.Tensor = parameter(numbers(3, 3));
      after: tf.Tensor = parameter(numbers(1));
      constructor() {
        super();
        registerParametrization(this, 'weight', (x) => tf.sub(x, tf.transpose(x)));
      }
      override forward(): tf.Tensor {
        return this.weight;
      }
    }
    const [positive, skewed] = [new Positive(), new Skewed()];
    inTidy(() => expect(tf.min(positive.kernel).dataSync()[0]).toBeGreaterThan(0));
    expect(Object.keys(skewed.stateDict())).toEqual(['after', 'parametrizations.weight.original']);
    const output = skewed.call();
    inTidy(() => expect(tf.add(output, tf.transpose(output))).toBeAllClose(tf.zeros([3, 3])));
    output.dispose();
    parametrizationsOn(positive, 'kernel').dispose();
    skewed.dispose();
  });

  it('is copied by clone with a chain of its own', () => {
    const layer = new Layer();
    registerParametrization(layer, 'kernel', new Double());
    const copy = clone(layer);
    expect(copy).toBeInstanceOf(Layer);
    const zero = tf.zeros([2, 2]);
    copy.kernel = zero;
    const value = read(layer, 'kernel') as number[][];
    inTidy(() => {
      expect(copy.kernel).toBeAllClose(zero);
      expect(layer.kernel).not.toBeAllClose(zero);
    });
    removeParametrizations(copy, 'kernel');
    inTidy(() => expect(layer.kernel).toBeAllClose(value));
    removeParametrizations(layer, 'kernel');
    tf.dispose([zero, copy.kernel, layer.kernel]);
  });
});

describe('a module that stands in two parents', () => {
  it('is parametrized once and seen by both', () => {
    class Parent extends Module {
      child: Affine;
      constructor(child: Affine) {
        super();
        this.child = child;
      }
      override forward(x: tf.Tensor): tf.Tensor {
        return this.child.call(x) as tf.Tensor;
      }
    }
    const shared = new Affine();
    const [a, b] = [new Parent(shared), new Parent(shared)];
    registerParametrization(a.child, 'weight', new Double());
    expect(isParametrized(b.child, 'weight')).toBe(true);
    expect(Object.keys(b.stateDict())).toEqual(['child.bias', 'child.parametrizations.weight.original']);
    a.dispose();
    b.dispose();
  });
});
