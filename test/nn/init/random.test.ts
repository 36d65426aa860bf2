import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Embedding, Linear, LSTM, type Module, manualSeed } from '../../../src/nn/index.ts';
import { nextSeed, seedSequence, uniformWithin } from '../../../src/nn/init/random.ts';
import { statistics } from './statistics.ts';

const values = (module: Module): number[] => {
  const numbers = Object.values(module.stateDict()).flatMap((tensor) => Array.from(tensor.dataSync()));
  module.dispose();
  return numbers;
};

// The tests up to manualSeed come first: a process cannot forget its seed.

describe('Without manualSeed', () => {
  it('layers begin differently', () => {
    expect(values(new Linear(3, 2))).not.toEqual(values(new Linear(3, 2)));
  });
});

describe('manualSeed', () => {
  it.each([
    ['Linear', () => new Linear(3, 2)],
    ['Embedding', () => new Embedding(3, 2)],
    ['LSTM', () => new LSTM(2, 2)],
  ] as [string, () => Module][])('makes the initialization of %s repeat', (_name, make) => {
    const run = (seed: number) => {
      manualSeed(seed);
      return [values(make()), values(make())];
    };
    const [first, second] = run(0);
    expect(run(0)).toEqual([first, second]);
    expect(second).not.toEqual(first);
    expect(run(1)[0]).not.toEqual(first);
  });

  it('gives each parameter of a layer numbers of its own', () => {
    manualSeed(0);
    const lstm = new LSTM(2, 2);
    const [a, b] = [lstm.bias_ih_l0!, lstm.bias_hh_l0!];
    expect(Array.from(a.dataSync())).not.toEqual(Array.from(b.dataSync()));
    lstm.dispose();
  });

  it('refuses what is no integer', () => {
    expect(() => manualSeed(0.5)).toThrow(
      expect.objectContaining({
        code: 'OPTION',
        message: 'manualSeed: seed is 0.5, it must be an integer. Pass a whole number.',
      }),
    );
  });
});

describe('A sequence of seeds', () => {
  it('repeats, does not stand still and never gives 0, which tf.randomNormal takes for no seed', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (seed) => {
        const [one, two] = [seedSequence('test', seed), seedSequence('test', seed)];
        const seeds = Array.from({ length: 20 }, () => nextSeed(one));
        expect(seeds).toEqual(Array.from({ length: 20 }, () => nextSeed(two)));
        expect(new Set(seeds).size).toBe(20);
        expect(Math.min(...seeds)).toBeGreaterThan(0);
      }),
    );
  });

  it('of neighbouring seeds has nothing in common', () => {
    const first = new Set(Array.from({ length: 1000 }, (_, seed) => nextSeed(seedSequence('test', seed))));
    expect(first.size).toBe(1000);
    const low = [...first].filter((seed) => seed <= 2 ** 31).length;
    expect(low).toBeGreaterThan(400);
    expect(low).toBeLessThan(600);
  });
});

describe('uniformWithin', () => {
  it('draws from U(-bound, bound)', () => {
    manualSeed(0);
    const tensor = uniformWithin([100, 50], 0.5);
    const { mean, std, min, max } = statistics(tensor);
    expect(tensor.shape).toEqual([100, 50]);
    expect([mean, std, min, max]).toBeAllClose([0, 0.5 / Math.sqrt(3), -0.5, 0.5], { absolute: 0.01 });
    tf.dispose(tensor);
  });
});
