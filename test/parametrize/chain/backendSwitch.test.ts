import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, it } from 'vitest';
import { weightNorm } from '../../../src/parametrizations/index.ts';
import {
  cached,
  parametrizationsOn,
  pure,
  registerParametrization,
  removeParametrizations,
} from '../../../src/parametrize/index.ts';
import { Affine, Double, inTidy, read, train } from '../fixtures.ts';

const home = process.env['TFJS_BACKEND'] ?? 'cpu';
const away = home === 'cpu' ? 'wasm' : 'cpu';
/** Both backends hold their own count: the tensors of the test are moved back before it is checked for leaks. */
afterEach(() => tf.setBackend(home));

it('reads, trains and assigns on after a switch of the backend, and after the switch back', async () => {
  const host = new Affine();
  weightNorm(host);
  registerParametrization(host, 'bias', new Double());
  const before = [read(host), read(host, 'bias')] as [number[][], number[]];
  for (const backend of [away, home]) {
    await tf.setBackend(backend);
    inTidy(() => {
      expect(host.weight).toBeAllClose(before[0]);
      expect(host.bias).toBeAllClose(before[1]);
    });
  }
  await tf.setBackend(away);
  train(host);
  inTidy(() => expect(host.weight).not.toBeAllClose(before[0]));
  const value = tf.tensor2d(before[0]);
  host.weight = value;
  inTidy(() => expect(host.weight).toBeAllClose(before[0]));
  value.dispose();
  await tf.setBackend(home);
  inTidy(() => expect(host.weight).toBeAllClose(before[0]));
  host.dispose();
});

it('keeps borrowed values valid and fresh through a switch', async () => {
  const host = new Affine();
  registerParametrization(
    host,
    'weight',
    pure((x) => tf.mul(x, 2)),
  );
  const borrowed = host.weight;
  const value = borrowed.arraySync();
  await tf.setBackend(away);
  expect(host.weight).toBe(borrowed);
  inTidy(() => expect(tf.add(borrowed, 0)).toBeAllClose(value as number[][]));
  train(host);
  const after = read(host) as number[][];
  expect(after).not.toEqual(value);
  await tf.setBackend(home);
  inTidy(() => expect(host.weight).toBeAllClose(after));
  host.dispose();
});

it('keeps the entries of an open scope valid through a switch', async () => {
  const host = new Affine();
  registerParametrization(host, 'weight', new Double());
  const value = read(host) as number[][];
  await cached(async () => {
    const entry = host.weight;
    inTidy(() => host.weight.arraySync());
    await tf.setBackend(away);
    expect(host.weight).toBe(entry);
    inTidy(() => expect(tf.add(host.weight, 0)).toBeAllClose(value));
    await tf.setBackend(home);
    inTidy(() => expect(tf.add(host.weight, 0)).toBeAllClose(value));
  });
  host.dispose();
});

it('registers, removes and copies on the other backend what was made on this one', async () => {
  const host = new Affine();
  const value = read(host) as number[][];
  await tf.setBackend(away);
  weightNorm(host);
  const copy = host.clone();
  await tf.setBackend(home);
  inTidy(() => expect(copy.weight).toBeAllClose(value));
  removeParametrizations(host, 'weight');
  inTidy(() => expect(host.weight).toBeAllClose(value));
  expect(parametrizationsOn(copy, 'weight').g!.shape).toEqual([3, 1]);
  copy.dispose();
  host.dispose();
});

it('keeps what reads in a tidy left behind right through a switch, and frees it', async () => {
  const host = new Affine();
  weightNorm(host);
  const value = read(host) as number[][];
  const evaluations = parametrizationsOn(host, 'weight').evaluations;
  for (const backend of [away, home, away]) {
    await tf.setBackend(backend);
    inTidy(() => expect(tf.add(host.weight, 0)).toBeAllClose(value));
  }
  expect(parametrizationsOn(host, 'weight').evaluations).toBe(evaluations);
  await tf.setBackend(home);
  inTidy(() => expect(tf.add(host.weight, 0)).toBeAllClose(value));
  const data = tf.memory().numDataBuffers;
  train(host);
  inTidy(() => void tf.variableGrads(() => tf.sum(host.weight) as tf.Scalar));
  expect(tf.memory().numDataBuffers).toBe(data - 1);
  host.dispose();
});
