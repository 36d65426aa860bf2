import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { converted } from '../../src/checkpoint/convert/converted.ts';
import { openCheckpoint } from '../../src/checkpoint/file/openCheckpoint.ts';
import { saveCheckpoint } from '../../src/checkpoint/index.ts';
import {
  describe as describeModel,
  initializeFromBatch,
  nn,
  parametrizationsOn,
  weightNorm,
} from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { flatten } from '../toBeAllClose.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(weightNorm as Entry, {
  cases: [
    { shape: [4, 3], options: { scale: 'log' } },
    { shape: [3, 2, 3], options: { scale: 'log', dim: [0, 2], eps: 1e-6 } },
    { shape: [7], options: { scale: 'log', dim: null } },
    { shape: [1, 1], options: { scale: 'log' } },
  ],
});

const weight = [
  [3, 4],
  [0, 0],
  [-5, 12],
];

function layerOf(options: object): nn.Linear {
  const layer = new nn.Linear(2, 3, { bias: false });
  tf.tidy(() => (layer.weight as tf.Variable).assign(tf.tensor2d(weight)));
  return weightNorm(layer, options);
}

it("scale 'log' trains the logarithms of the norms, which have their own name and stay finite", () => {
  const layer = layerOf({ scale: 'log' });
  const list = parametrizationsOn(layer, 'weight');
  inTidy(() => {
    expect(list.s!).toBeAllClose([Math.log(5), Math.log(1e-12), Math.log(13)]);
    expect(list.g).toBeUndefined();
    expect(layer.weight).toBeAllClose(weight.flat());
  });
  expect(String(describeModel(layer))).toContain('WeightNorm(dim=0, scale=log)');
  layer.dispose();
});

it("weight_g and weight_v of a checkpoint go through the plain weight with scale 'log'", () => {
  const [linear, logarithmic] = [layerOf({}), layerOf({ scale: 'log' })];
  tf.tidy(() => parametrizationsOn(linear, 'weight').g!.assign(tf.tensor2d([[2], [1], [26]])));
  const state = linear.stateDict({ keyFormat: 'legacy' });
  expect(Object.keys(state)).toEqual(['weight_g', 'weight_v']);
  const { mapped } = logarithmic.loadStateDict(state);
  expect(mapped[0]!.actions.map(({ kind }) => kind)).toEqual(['fold', 'invert']);
  inTidy(() => {
    expect(logarithmic.weight).toBeAllClose(flatten(linear.weight));
    expect(tf.slice(parametrizationsOn(logarithmic, 'weight').s!, [0], [1])).toBeAllClose([Math.log(2)]);
  });
  for (const layer of [linear, logarithmic]) layer.dispose();
});

it("scale 'log' is never written as weight_g, in a state dict or from a file", async () => {
  const layer = layerOf({ scale: 'log' });
  const modern = ['parametrizations.weight.original0', 'parametrizations.weight.original1'];
  expect(Object.keys(layer.stateDict({ keyFormat: 'legacy' }))).toEqual(modern);
  const chunks: Uint8Array[] = [];
  await saveCheckpoint(layer, new WritableStream({ write: (chunk) => void chunks.push(chunk.slice()) }));
  const file = await openCheckpoint('test', Buffer.concat(chunks));
  expect([...converted(file, { keyFormat: 'legacy' }).keys()].sort()).toEqual(modern);
  const folded = await converted(file, { keyFormat: 'folded' }).get('weight')!.read();
  expect([...(folded.data as Float32Array)]).toBeAllClose(weight.flat(), { relative: 1e-5 });
  await file.close();
  layer.dispose();
});

it("initializeFromBatch initializes layers with scale 'log' as those with scale 'linear'", async () => {
  const batch = tf.tidy(() => tf.randomNormal([32, 2], 0, 1, 'float32', 3));
  const weights: number[][] = [];
  for (const scale of ['linear', 'log'] as const) {
    const layer = new nn.Linear(2, 3);
    tf.tidy(() =>
      (layer.weight as tf.Variable).assign(
        tf.tensor2d([
          [1, 2],
          [-3, 0.5],
          [0.1, 0.2],
        ]),
      ),
    );
    weightNorm(layer, { scale });
    const [statistics] = await initializeFromBatch(layer, batch);
    expect(statistics!.std).toBeCloseTo(1, 3);
    weights.push(tf.tidy(() => flatten(layer.weight)));
    layer.dispose();
  }
  expect(weights[1]).toBeAllClose(weights[0]!, { relative: 1e-5 });
  batch.dispose();
});

describeEntryGolden(weightNorm as Entry);
