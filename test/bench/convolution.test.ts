import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Case, Pass } from '../../bench/convolution/cases.ts';
import {
  channelsLast,
  layerByLayer,
  layers,
  layoutChanges,
  type MakeStep,
  tfjsKernels,
} from '../../bench/convolution/contestants.ts';
import { checkAgreement, type Fingerprint } from '../../bench/measure/fingerprint.ts';
import { type Backend, tfjsContestant } from '../../bench/measure/tfjsContestant.ts';

const backend = process.env['TFJS_BACKEND'] as Backend;

const cases: [string, Case][] = [
  ['a sequence', { title: '', batch: 2, size: [7], kernel: 3, channels: [3, 4] }],
  ['an image', { title: '', batch: 2, size: [5, 5], kernel: 3, channels: [2, 3] }],
  ['a chain', { title: '', batch: 1, size: [4, 4], kernel: 3, channels: [2, 2, 2] }],
];

async function fingerprintsOf(make: MakeStep, work: Case, pass: Pass): Promise<Fingerprint[]> {
  tf.engine().startScope();
  const contestant = await tfjsContestant('contestant', backend, () => make(work, pass));
  const prints = await contestant.fingerprints();
  expect(await contestant.run(2)).toBeGreaterThan(0);
  tf.disposeVariables();
  tf.engine().endScope();
  return prints;
}

describe.each(cases)('of %s', (_name, work) => {
  it('all contestants compute the same forward', async () => {
    const expected = await fingerprintsOf(layers, work, 'forward');
    expect(expected).toHaveLength(1);
    for (const make of [layerByLayer, channelsLast, tfjsKernels]) {
      checkAgreement(make.name, await fingerprintsOf(make, work, 'forward'), expected, 1e-5);
    }
  });

  it('all that can go backward compute the same gradients', async () => {
    const expected = await fingerprintsOf(layers, work, 'forward and backward');
    expect(expected).toHaveLength(2 * work.channels.length);
    for (const make of [layerByLayer, channelsLast]) {
      checkAgreement(make.name, await fingerprintsOf(make, work, 'forward and backward'), expected, 1e-5);
    }
    // What tfjs lacks on wasm, where it is no contestant.
    expect(tf.getKernel('Conv2DBackpropFilter', backend) === undefined).toBe(backend === 'wasm');
    if (backend === 'wasm') return;
    checkAgreement('tfjs', await fingerprintsOf(tfjsKernels, work, 'forward and backward'), expected, 1e-5);
  });

  it('the layout changes are those of every layer, forward and with their gradients', async () => {
    const layerCount = work.channels.length - 1;
    expect(await fingerprintsOf(layoutChanges, work, 'forward')).toHaveLength(3 * layerCount);
    expect(await fingerprintsOf(layoutChanges, work, 'forward and backward')).toHaveLength(6 * layerCount);
  });
});

it('programs that compute something else are refused', () => {
  const print = { projection: 1, norm: 2 };
  expect(() => checkAgreement('other', [print], [print])).not.toThrow();
  expect(() => checkAgreement('other', [{ ...print, projection: 1.1 }], [print])).toThrow(/^other computes/);
  expect(() => checkAgreement('other', [{ ...print, norm: Number.NaN }], [print])).toThrow(/^other computes/);
  expect(() => checkAgreement('other', [], [print])).toThrow(/^other computes/);
  expect(() => checkAgreement('other', [print, print], [print])).toThrow(/^other computes/);
});
