import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { Module, parameter } from '../../src/nn/index.ts';
import {
  cached,
  Parametrization,
  parametrizationsOn,
  pure,
  registerParametrization,
} from '../../src/parametrize/index.ts';
import { AddOne, Affine, Double, inTidy, numbers, read, train } from './fixtures.ts';

/** Counts how often `forward` runs. */
function counted(forward: (x: tf.Tensor) => tf.Tensor): { calls: number; forward(x: tf.Tensor): tf.Tensor } {
  return {
    calls: 0,
    forward(x) {
      this.calls++;
      return forward(x);
    },
  };
}

describe('a function', () => {
  it('is a parametrization without an inverse that is evaluated on every read', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    let calls = 0;
    registerParametrization(host, 'weight', (x) => {
      calls++;
      return tf.relu(x);
    });
    calls = 0;
    inTidy(() => expect(host.weight).toBeAllClose(tf.relu(before)));
    read(host);
    expect(calls).toBe(2);
    host.dispose();
  });

  it('is evaluated once inside of cached', () => {
    const host = new Affine();
    let calls = 0;
    registerParametrization(host, 'weight', (x) => {
      calls++;
      return tf.neg(x);
    });
    calls = 0;
    cached(() => {
      for (let i = 0; i < 3; i++) inTidy(() => host.weight.arraySync());
    });
    expect(calls).toBe(1);
    host.dispose();
  });

  it('may be bound, an arrow function, or a method that needs no this', () => {
    const host = { a: parameter(numbers(2)), b: parameter(numbers(2)) } as { a: tf.Tensor; b: tf.Tensor };
    const before = read(host, 'a') as number[];
    class Factor {
      factor = 3;
      apply(x: tf.Tensor): tf.Tensor {
        return tf.mul(x, this.factor);
      }
    }
    const three = new Factor();
    registerParametrization(host, 'a', three.apply.bind(three));
    registerParametrization(host, 'b', tf.neg as (x: tf.Tensor) => tf.Tensor);
    inTidy(() => {
      expect(host.a).toBeAllClose(tf.mul(before, 3));
      expect(host.b).toBeAllClose(tf.neg(before));
    });
    for (const name of ['a', 'b']) parametrizationsOn(host, name).dispose();
  });

  it('may be the identity: the value is a tensor of its own, never the variable', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    registerParametrization(
      host,
      'weight',
      pure((x) => x),
    );
    const value = host.weight;
    expect(value).not.toBeInstanceOf(tf.Variable);
    value.dispose();
    inTidy(() => expect(host.weight).toBeAllClose(before));
    train(host);
    expect(read(host)).not.toEqual(before);
    host.dispose();
  });

  it('may give a tensor that it keeps for itself', () => {
    const mask = tf.keep(tf.eye(3));
    const host = new Affine();
    registerParametrization(host, 'weight', () => mask);
    host.weight.dispose();
    expect(mask.isDisposed).toBe(false);
    inTidy(() => expect(host.weight).toBeAllClose(mask));
    mask.dispose();
    host.dispose();
  });
});

describe('pure', () => {
  it('declares a function pure: one evaluation until an original changes', () => {
    const host = new Affine();
    let calls = 0;
    registerParametrization(
      host,
      'weight',
      pure((x) => {
        calls++;
        return tf.neg(x);
      }),
    );
    calls = 0;
    expect(host.weight).toBe(host.weight);
    inTidy(() => host.weight);
    expect(calls).toBe(1);
    train(host);
    const first = calls;
    void host.weight;
    void host.weight;
    expect(calls).toBe(first + 1);
    host.dispose();
  });

  it('makes a chain pure only if all of it is', () => {
    const host = new Affine();
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.neg(x)),
    );
    const impure = counted((x) => tf.neg(x));
    registerParametrization(host, 'weight', impure);
    impure.calls = 0;
    inTidy(() => expect(host.weight).not.toBe(host.weight));
    expect(impure.calls).toBe(2);
    host.dispose();
  });

  it('may depend on the mode: a map that is pure in eval mode only', () => {
    class Noisy extends Parametrization {
      calls = 0;
      override forward(x: tf.Tensor): tf.Tensor {
        this.calls++;
        return this.training ? tf.add(x, this.calls) : x;
      }
      override isPure(): boolean {
        return !this.training;
      }
    }
    const host = new Affine();
    const map = new Noisy();
    registerParametrization(host, 'weight', map);
    const calls = () => {
      const before = map.calls;
      inTidy(() => void [host.weight, host.weight, host.weight]);
      return map.calls - before;
    };
    expect(calls()).toBe(3);
    host.eval();
    expect(calls()).toBe(1);
    host.train();
    expect(calls()).toBe(3);
    host.dispose();
  });
});

describe('an object with forward', () => {
  it('is called with its own this, in forward, rightInverse and isPure', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    const map = {
      factor: 4,
      forward(x: tf.Tensor) {
        return tf.mul(x, this.factor);
      },
      rightInverse(y: tf.Tensor) {
        return tf.div(y, this.factor);
      },
      isPure() {
        return this.factor === 4;
      },
    };
    registerParametrization(host, 'weight', map);
    inTidy(() => {
      expect(host.weight).toBeAllClose(before);
      expect(parametrizationsOn(host, 'weight').original).toBeAllClose(tf.div(before, 4));
    });
    expect(host.weight).toBe(host.weight);
    host.dispose();
  });

  it('may declare the variables that it uses: they are dependencies and stay the caller’s', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    const scale = parameter(tf.scalar(2));
    registerParametrization(host, 'weight', {
      forward: (x) => tf.mul(x, scale),
      isPure: () => true,
      dependencies: [scale],
    });
    void host.weight;
    const five = tf.scalar(5);
    scale.assign(five);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(before, 5)));
    expect(host.parameters()).not.toContain(scale);
    const gradient = tf.variableGrads(() => tf.sum(host.weight) as tf.Scalar, [scale]);
    inTidy(() => expect(gradient.grads[scale.name]).toBeAllClose(tf.sum(before)));
    host.dispose();
    expect(scale.isDisposed).toBe(false);
    tf.dispose([five, scale, gradient.value, gradient.grads]);
  });

  it('may declare a dependency that a parametrized original has', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    const shift = parameter(tf.scalar(1));
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    registerParametrization(parametrizationsOn(host, 'weight'), 'original', {
      forward: (x) => tf.add(x, shift),
      isPure: () => true,
      dependencies: [shift],
    });
    void host.weight;
    const zero = tf.scalar(0);
    shift.assign(zero);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(before, 2)));
    tf.dispose([zero, shift]);
    host.dispose();
  });
});

describe('a Parametrization', () => {
  it('is a module: its parameters, buffers, children and mode belong to the host', () => {
    class Mix extends Parametrization {
      inner = new Linearish();
      override forward(x: tf.Tensor): tf.Tensor {
        return this.inner.call(x);
      }
    }
    class Linearish extends Module {
      weight: tf.Tensor = parameter(numbers(3, 3));
      override forward(x: tf.Tensor): tf.Tensor {
        return tf.matMul(x as tf.Tensor2D, this.weight as tf.Tensor2D);
      }
    }
    const host = new Affine();
    const map = new Mix();
    registerParametrization(host, 'weight', map);
    expect(host.namedParameters().map(([name]) => name)).toEqual([
      'bias',
      'parametrizations.weight.original',
      'parametrizations.weight.0.inner.weight',
    ]);
    const before = Array.from(map.inner.weight.dataSync());
    train(host);
    expect(Array.from(map.inner.weight.dataSync())).not.toEqual(before);
    host.dispose();
    expect(map.inner.weight.isDisposed).toBe(true);
  });

  it('may be registered on several tensors if it has none of its own', () => {
    const [a, b] = [new Affine(), new Affine()];
    const map = new Double();
    registerParametrization(a, 'weight', map);
    registerParametrization(a, 'bias', map);
    registerParametrization(b, 'weight', map);
    registerParametrization(b, 'weight', map);
    const before = read(b) as number[][];
    inTidy(() => {
      b.weight = tf.mul(before, 2);
      expect(b.weight).toBeAllClose(tf.mul(before, 2));
    });
    a.dispose();
    b.dispose();
  });

  it('frees what forward makes, in and outside of a tidy', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', (x) => tf.add(tf.mul(tf.neg(x), 2), tf.add(x, 1)));
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) host.weight.dispose();
    expect(tf.memory().numTensors).toBe(before);
    host.dispose();
  });

  it('may be used alone', () => {
    const map = new AddOne();
    const x = tf.zeros([2]);
    const [y, back] = [map.call(x), map.rightInverse(x)];
    expect(y).toBeAllClose([1, 1]);
    expect(back).toBeAllClose([-1, -1]);
    tf.dispose([x, y, back]);
  });
});
