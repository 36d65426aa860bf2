import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, inTidy, RankOne, read, SumOfThree, train, variableOf } from '../fixtures.ts';

/** A host whose weight is not trained. */
function frozen(): Affine {
  const host = new Affine();
  variableOf(host).trainable = false;
  return host;
}

describe('a frozen variable', () => {
  it('stays frozen as the original (torch#72)', () => {
    const host = frozen();
    registerParametrization(host, 'weight', new Double());
    expect(parametrizationsOn(host, 'weight').original!.trainable).toBe(false);
    const before = read(host);
    expect(() => train(host)).not.toThrow();
    expect(read(host)).toEqual(before);
    removeParametrizations(host, 'weight');
    expect(variableOf(host).trainable).toBe(false);
    host.dispose();
  });

  it('makes every original frozen, also those that are new (torch#72, unlike the legacy weight norm)', () => {
    for (const map of [new RankOne(), new SumOfThree()]) {
      const host = frozen();
      registerParametrization(host, 'weight', map);
      const originals = parametrizationsOn(host, 'weight').parameters();
      expect(originals.length).toBeGreaterThan(1);
      expect(originals.map(({ trainable }) => trainable)).toEqual(originals.map(() => false));
      expect(host.parameters()).toHaveLength(originals.length + 1);
      const before = read(host);
      train(host);
      expect(read(host)).toEqual(before);
      removeParametrizations(host, 'weight');
      expect(variableOf(host).trainable).toBe(false);
      host.dispose();
    }
  });

  it('gets no gradient, and neither does anything else through it', () => {
    const host = frozen();
    registerParametrization(host, 'weight', new Double());
    const x = tf.ones([2, 3]);
    const { value, grads } = tf.variableGrads(() => tf.sum(host.call(x)) as tf.Scalar);
    expect(Object.keys(grads)).toEqual([variableOf(host, 'bias').name]);
    tf.dispose([x, value, grads]);
    host.dispose();
  });

  it('may be assigned and loaded all the same', () => {
    const host = frozen();
    registerParametrization(host, 'weight', new Double());
    const value = tf.zeros([3, 3]);
    host.weight = value;
    inTidy(() => expect(host.weight).toBeAllClose(value));
    host.loadStateDict({ 'parametrizations.weight.original': tf.keep(value) }, { strict: false });
    value.dispose();
    host.dispose();
  });

  it('is what training it was frozen at removal has left: thawing the originals thaws the variable', () => {
    const host = frozen();
    registerParametrization(host, 'weight', new RankOne());
    for (const original of parametrizationsOn(host, 'weight').parameters()) original.trainable = true;
    removeParametrizations(host, 'weight');
    expect(variableOf(host).trainable).toBe(true);
    host.dispose();
  });

  it('stays thawed or frozen when the original is switched under a registration', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    parametrizationsOn(host, 'weight').original!.trainable = false;
    removeParametrizations(host, 'weight');
    expect(variableOf(host).trainable).toBe(false);
    host.dispose();
  });
});
