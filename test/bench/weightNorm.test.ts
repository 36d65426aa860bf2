import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { checkAgreement, type Fingerprint } from '../../bench/measure/fingerprint.ts';
import { type Backend, type Step, tfjsContestant } from '../../bench/measure/tfjsContestant.ts';
import { casesOf, titleOf } from '../../bench/weightNorm/cases.ts';
import { copy, fused, operations, reference } from '../../bench/weightNorm/contestants.ts';
import { modelComparisons } from '../../bench/weightNorm/models.ts';

const backend = process.env['TFJS_BACKEND'] as Backend;

async function fingerprintsOf(make: () => Step): Promise<Fingerprint[]> {
  tf.engine().startScope();
  const contestant = await tfjsContestant('contestant', backend, make);
  const prints = await contestant.fingerprints();
  expect(await contestant.run(1)).toBeGreaterThan(0);
  tf.disposeVariables();
  tf.engine().endScope();
  return prints;
}

describe('the benchmark of weight norm', () => {
  it.each(casesOf([7, 9]).map((work) => [titleOf(work), work] as const))(
    'does the same in all ways: %s',
    async (_, work) => {
      const expected = await fingerprintsOf(() => fused(work));
      expect(expected).toHaveLength({ forward: 1, backward: 2, 'forward and backward': 3 }[work.pass]);
      expect(await fingerprintsOf(() => copy(work))).toEqual([]);
      const whole = { ...work, pass: 'forward and backward' as const };
      const others = work.pass === 'backward' ? whole : work;
      for (const make of [reference, operations]) {
        const prints = await fingerprintsOf(() => make(others));
        checkAgreement(make.name, prints.slice(-expected.length), expected, 1e-5);
      }
    },
  );

  it.each(modelComparisons.map((comparison) => [comparison.title, comparison] as const))(
    'uses its models: %s',
    async (_, { ways }) => {
      for (const [, make] of ways) await fingerprintsOf(make);
    },
  );
});
