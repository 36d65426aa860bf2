import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  cached,
  invalidate,
  Parametrization,
  parametrizationsOn,
  pure,
  registerParametrization,
} from '../../../src/parametrize/index.ts';
import { Affine, inTidy, read } from '../fixtures.ts';

/** `factor · x` with a plain field. */
class Times extends Parametrization {
  #factor = 2;
  get factor(): number {
    return this.#factor;
  }
  set factor(factor: number) {
    this.#factor = factor;
    this.invalidate();
  }
  override forward(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, this.#factor);
  }
  override isPure(): boolean {
    return true;
  }
}

describe('invalidate', () => {
  it('makes what a pure function has captured visible', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    let shift = 0;
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.add(x, shift)),
    );
    void host.weight;
    shift = 5;
    inTidy(() => expect(host.weight).toBeAllClose(before));
    invalidate(host, 'weight');
    inTidy(() => expect(host.weight).toBeAllClose(tf.add(before, 5)));
    host.dispose();
  });

  it('touches the named tensor only, or all of the host', () => {
    const host = new Affine();
    let shift = 0;
    for (const name of ['weight', 'bias'] as const) {
      registerParametrization(
        host,
        name,
        pure((x) => tf.add(x, shift)),
      );
    }
    const counts = () => ['weight', 'bias'].map((name) => parametrizationsOn(host, name).evaluations);
    void host.weight;
    void host.bias;
    let [weight, bias] = counts() as [number, number];
    shift = 1;
    invalidate(host, 'bias');
    void host.weight;
    void host.bias;
    expect(counts()).toEqual([weight, ++bias]);
    invalidate(host);
    void host.weight;
    void host.bias;
    expect(counts()).toEqual([++weight, ++bias]);
    host.dispose();
  });

  it('is needed after a write into the array of dataSync', () => {
    const host = new Affine();
    registerParametrization(
      host,
      'weight',
      pure((x) => tf.mul(x, 2)),
    );
    void host.weight;
    const original = parametrizationsOn(host, 'weight').original!;
    const array = original.dataSync();
    array[0] = 100;
    // Whether dataSync gives the memory of the tensor depends on the backend; reads agree with it after invalidate.
    invalidate(host);
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(original, 2)));
    host.dispose();
  });

  it('ends a borrowed value with the next read, and entries of an open scope', () => {
    const host = new Affine();
    let shift = 0;
    registerParametrization(host, 'weight', (x) => tf.add(x, shift));
    const before = read(host) as number[][];
    cached(() => {
      const first = host.weight;
      shift = 1;
      expect(host.weight).toBe(first);
      invalidate(host, 'weight');
      const second = host.weight;
      expect(second).not.toBe(first);
      expect(first.isDisposed).toBe(true);
      inTidy(() => expect(second).toBeAllClose(tf.add(before, 1)));
    });
    host.dispose();
  });

  it('is done by the parametrization itself when a plain field is set', () => {
    const host = new Affine();
    const before = read(host) as number[][];
    const map = new Times();
    registerParametrization(host, 'weight', map);
    void host.weight;
    map.factor = 3;
    inTidy(() => expect(host.weight).toBeAllClose(tf.mul(before, 3)));
    host.dispose();
  });

  it('does nothing on a host without parametrizations', () => {
    const host = new Affine();
    invalidate(host);
    invalidate({});
    host.dispose();
  });
});
