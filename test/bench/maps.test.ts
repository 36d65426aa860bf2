import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../bench/maps/cases.ts';
import { mapStep } from '../../bench/maps/contestant.ts';
import { checkAgreement } from '../../bench/measure/fingerprint.ts';
import { type Backend, tfjsContestant } from '../../bench/measure/tfjsContestant.ts';

const backend = process.env['TFJS_BACKEND'] as Backend;

async function fingerprintsOf(work: Case) {
  tf.engine().startScope();
  const contestant = await tfjsContestant('contestant', backend, () => mapStep(work));
  const prints = await contestant.fingerprints();
  expect(await contestant.run(1)).toBeGreaterThan(0);
  tf.disposeVariables();
  tf.engine().endScope();
  return prints;
}

describe('the benchmark of maps', () => {
  it.each(['spectralNorm', 'matrixExp', 'cayley', 'householder'] as const)(
    'computes the same value with and without the gradient: %s',
    async (map) => {
      const value = await fingerprintsOf({ map, shape: [6, 6], pass: 'forward' });
      const both = await fingerprintsOf({ map, shape: [6, 6], pass: 'forward and backward' });
      expect(both).toHaveLength(2);
      checkAgreement(map, both.slice(0, 1), value, 1e-6);
    },
  );
});
