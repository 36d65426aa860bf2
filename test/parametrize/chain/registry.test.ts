import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import {
  isOwned,
  listsWithModule,
  listsWithOriginal,
  markOwned,
  registrationOf,
  registrationsOf,
} from '../../../src/parametrize/chain/registry.ts';
import { siteOf } from '../../../src/parametrize/host/site.ts';
import {
  parametrizationsOn,
  registerParametrization,
  removeParametrizations,
  transferParametrizationsAndParams,
} from '../../../src/parametrize/index.ts';
import { transaction } from '../../../src/parametrize/transaction.ts';
import { planStepRemoval } from '../../../src/parametrize/verbs/edit/planSteps.ts';
import { Affine, Double, Scaled } from '../fixtures.ts';

describe('the registry', () => {
  it('knows the registrations of a host by name, in the order in which they were made', () => {
    const host = new Affine();
    registerParametrization(host, 'bias', (x) => tf.neg(x));
    registerParametrization(host, 'weight', new Double());
    expect([...registrationsOf(host).keys()]).toEqual(['bias', 'weight']);
    expect(registrationOf(host, 'weight')!.list).toBe(parametrizationsOn(host, 'weight'));
    removeParametrizations(host, 'bias');
    expect([...registrationsOf(host).keys()]).toEqual(['weight']);
    removeParametrizations(host, 'weight');
    expect([registrationOf(host, 'weight'), registrationsOf(host).size]).toEqual([undefined, 0]);
    host.dispose();
  });

  it('puts a registration back in its place if the removal is taken back', () => {
    const host = new Affine();
    registerParametrization(host, 'bias', (x) => tf.neg(x));
    registerParametrization(host, 'weight', new Double());
    const before = [...registrationsOf(host)];
    expect(() =>
      transaction(() => {
        removeParametrizations(host, 'bias');
        throw new Error('later');
      }),
    ).toThrow('later');
    expect([...registrationsOf(host)]).toEqual(before);
    host.dispose();
  });

  it('knows the lists of an original: both after a transfer, the nested one of a parametrized original', () => {
    const [host, other] = [new Affine(), new Affine()];
    registerParametrization(host, 'weight', new Double());
    const list = parametrizationsOn(host, 'weight');
    const original = list.original!;
    expect([...listsWithOriginal(original)]).toEqual([list]);
    transferParametrizationsAndParams(host, other, 'weight');
    expect([...listsWithOriginal(original)]).toEqual([list, parametrizationsOn(other, 'weight')]);
    removeParametrizations(other, 'weight');
    registerParametrization(list, 'original', new Double());
    expect([...listsWithOriginal(original)]).toEqual([parametrizationsOn(list, 'original')]);
    removeParametrizations(list, 'original');
    expect([...listsWithOriginal(original)]).toEqual([list]);
    host.dispose();
    other.dispose();
  });

  it('knows the lists of a map until it leaves the chain, and disposes then what is the chain’s', () => {
    const host = new Affine();
    const [callers, chains] = [new Scaled(), markOwned(new Scaled())];
    expect([isOwned(callers), isOwned(chains)]).toEqual([false, true]);
    for (const map of [callers, chains]) registerParametrization(host, 'weight', map);
    const list = parametrizationsOn(host, 'weight');
    expect([...listsWithModule(callers), ...listsWithModule(chains)]).toEqual([list, list]);
    const removal = () => tf.tidy(() => planStepRemoval('remove', siteOf(host, 'weight'), 1)());
    expect(() =>
      transaction(() => {
        removal();
        expect(listsWithModule(chains).size).toBe(0);
        throw new Error('later');
      }),
    ).toThrow('later');
    expect([...listsWithModule(chains)]).toEqual([list]);
    expect((chains.scale as tf.Variable).isDisposed).toBe(false);
    transaction(removal);
    expect([listsWithModule(chains).size, (chains.scale as tf.Variable).isDisposed]).toEqual([0, true]);
    host.dispose();
  });
});
