import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fold, registerParametrization } from '../../src/index.ts';
import { op, Run } from '../parametrize/laws/run.ts';
import { Net, optimizers, specimens } from '../parametrize/laws/specimens.ts';
import { flatten } from '../toBeAllClose.ts';
import { legacyModes, load, standardModes } from './modes.ts';

type Nets = typeof import('./programs/nets.ts');

describe.each([...standardModes, ...legacyModes])('$name: a decorated net', (mode) => {
  let netOf: Nets['netOf'];
  beforeAll(async () => {
    ({ netOf } = await load<Nets>(mode, 'nets'));
  });

  it('has the values and gradients of its uncached twin in random programs, and leaks nothing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(optimizers)),
        fc.constantFrom(...Object.keys(specimens)),
        fc.array(op, { maxLength: 24 }),
        (optimizer, specimen, program) => {
          const before = tf.memory().numTensors;
          const maps = specimens[specimen]!;
          const run = new Run(optimizer, netOf(maps) as unknown as Net, maps);
          try {
            for (const instruction of program) run.execute(instruction);
          } finally {
            run.end();
          }
          expect(tf.memory().numTensors, 'tensors that are left').toBe(before);
        },
      ),
      { numRuns: 8 },
    );
  });

  it.each(Object.keys(specimens))('saves, loads and folds like one registered by hand: %s', (name) => {
    const maps = specimens[name]!;
    const decorated = netOf(maps);
    const byHand = new Net(2);
    const owned = maps.map((make) => make());
    for (const map of owned) registerParametrization(byHand, 'weight', map);
    expect(Object.keys(decorated.stateDict())).toEqual(Object.keys(byHand.stateDict()));
    decorated.eval();
    byHand.eval();
    const value = tf.tidy(() => flatten(decorated.weight));
    byHand.loadStateDict(decorated.stateDict());
    tf.tidy(() => {
      expect(byHand.weight).toBeAllClose(value);
    });
    fold(decorated);
    fold(byHand);
    expect(decorated.weight).toBeAllClose(value);
    decorated.loadStateDict(byHand.stateDict());
    expect(decorated.weight).toBeAllClose(byHand.weight);
    decorated.dispose();
    byHand.dispose();
    for (const map of owned) map.dispose();
  });
});
