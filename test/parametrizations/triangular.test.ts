import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { nn, triangular } from '../../src/index.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(triangular as Entry, {
  cases: [
    { shape: [3, 3], options: { diagonal: 'positive' } },
    { shape: [2, 4, 3] },
    { shape: [2, 3], options: { lower: false, diagonal: 'unit' } },
    { shape: [1, 1], options: { diagonal: 'positive', map: 'exp' } },
  ],
});

describeEntryGolden(triangular as Entry);

it('refuses a vector, and changes nothing', () => {
  const layer = new nn.Linear(2, 3);
  const { bias } = layer;
  expect(() => triangular(layer, 'bias')).toThrow(
    'triangular: expected a matrix or a batch of matrices, got shape [3]. Register it on a weight.',
  );
  expect(layer.bias).toBe(bias);
  layer.dispose();
});

it('a diagonal below zero moves to near zero, in proportion to the others', async () => {
  const value = tf.tensor2d([
    [-4, 0],
    [7, 2],
  ]);
  const host = { weight: tf.variable(value) as tf.Tensor };
  triangular(host, 'weight', { diagonal: 'positive' });
  expect([...host.weight.dataSync()].map((x) => Number(x.toFixed(5)))).toEqual([0.003, 0, 7, 2]);
  expect(await triangular.contains(host.weight, 0, { diagonal: 'positive' })).toBe(true);
  expect(await triangular.contains(value, 0, { diagonal: 'positive' })).toBe(false);
  (host as unknown as { parametrizations: { dispose(): void } }).parametrizations.dispose();
  value.dispose();
});
