import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { parameter } from '../../../src/nn/index.ts';
import {
  isParametrized,
  Parametrization,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, inTidy, read, Scaled, train } from '../fixtures.ts';

it('parametrizes a parameter of a parametrization: a scale that is kept positive', () => {
  class Positive extends Parametrization {
    override forward(x: tf.Tensor): tf.Tensor {
      return tf.exp(x);
    }
    override rightInverse(y: tf.Tensor): tf.Tensor {
      return tf.log(y);
    }
    override isPure(): boolean {
      return true;
    }
  }
  const host = new Affine();
  const scaled = new Scaled();
  registerParametrization(host, 'weight', scaled);
  registerParametrization(scaled, 'scale', new Positive());
  expect(Object.keys(host.stateDict())).toEqual([
    'bias',
    'parametrizations.weight.original',
    'parametrizations.weight.0.count',
    'parametrizations.weight.0.parametrizations.scale.original',
  ]);
  const before = read(host) as number[][];
  const log2 = tf.tidy(() => tf.log(2));
  parametrizationsOn(scaled, 'scale').original!.assign(log2 as tf.Scalar);
  inTidy(() => expect(host.weight).toBeAllClose(tf.mul(before, 2 / 3)));
  const assigned = tf.scalar(4);
  scaled.scale = assigned;
  inTidy(() => expect(host.weight).toBeAllClose(tf.mul(before, 4 / 3)));
  train(host);
  tf.dispose([log2, assigned]);
  host.dispose();
});

describe('a parametrized parameter of a parametrization', () => {
  class Times extends Parametrization {
    scale: tf.Tensor = parameter(tf.scalar(3));
    override forward(x: tf.Tensor): tf.Tensor {
      return tf.mul(x, this.scale);
    }
    override isPure(): boolean {
      return true;
    }
  }
  let host: Affine;
  let times: Times;
  let value: number[][];
  beforeEach(() => {
    host = new Affine();
    times = new Times();
    value = read(host) as number[][];
    registerParametrization(host, 'weight', times);
  });

  it('makes the tensor impure if its own map is', () => {
    const map = new Double();
    registerParametrization(times, 'scale', map);
    const { calls } = map;
    inTidy(() => void [host.weight, host.weight]);
    expect(map.calls).toBe(calls + 2);
    host.dispose();
  });

  it('adds what it declares to the dependencies of the tensor', () => {
    const shift = parameter(tf.scalar(1));
    registerParametrization(times, 'scale', {
      forward: (x) => tf.add(x, shift),
      isPure: () => true,
      dependencies: [shift],
    });
    void host.weight;
    const zero = tf.scalar(0);
    shift.assign(zero);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 3)));
    tf.dispose([zero, shift]);
    host.dispose();
  });

  it('is forgotten with the parametrization, when that is invalidated', () => {
    let shift = 1;
    registerParametrization(
      times,
      'scale',
      pure((x) => tf.add(x, shift)),
    );
    void times.scale;
    shift = 2;
    times.invalidate();
    expect(read(times, 'scale')).toBe(5);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(value, 5)));
    host.dispose();
  });

  it('stays when the tensor is removed, for the parametrization stays the caller’s', () => {
    registerParametrization(times, 'scale', new Double());
    removeParametrizations(host, 'weight');
    expect(isParametrized(times, 'scale')).toBe(true);
    expect(read(times, 'scale')).toBe(3);
    times.dispose();
    host.dispose();
  });
});
