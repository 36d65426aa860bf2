import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { freeze } from '../../../src/model/index.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { transaction } from '../../../src/parametrize/transaction.ts';
import { Affine, Double, inTidy, RankOne, read, SumOfThree, train, variableOf } from '../fixtures.ts';
import { failure } from '../unchanged.ts';

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

  it('trains again after a removal if it was frozen only under the registration', () => {
    const edits: ((host: Affine) => unknown)[] = [
      (host) => removeParametrizations(host, 'weight'),
      (host) => removeParametrizations(host, 'weight', { leaveParametrized: false }),
      (host) => removeParametrization(host, 'weight', 0),
      (host) => removeParametrization(host, 'weight', 0, { keep: 'originals' }),
    ];
    for (const remove of edits) {
      const host = new Affine();
      const [other, variable] = [frozen(), variableOf(host)];
      registerParametrization(host, 'weight', new Double());
      registerParametrization(other, 'weight', new Double());
      const copy = host.clone();
      for (const one of [host, copy, other]) freeze(one);
      for (const one of [host, copy, other]) remove(one);
      expect([host, copy, other].map((one) => variableOf(one).trainable)).toEqual([true, true, false]);
      expect(variableOf(host)).toBe(variable);
      for (const one of [host, copy, other]) one.dispose();
    }
  });

  it('stays frozen if the removal fails', () => {
    const host = new Affine();
    registerParametrization(host, 'weight', new Double());
    const list = parametrizationsOn(host, 'weight');
    freeze(host);
    const work = (): void => {
      removeParametrizations(host, 'weight');
      throw new Error('later');
    };
    expect(failure(() => transaction(work), host, list)).toBe('Error: later');
    expect(list.original!.trainable).toBe(false);
    host.dispose();
  });
});
