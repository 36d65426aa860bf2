import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { nn, parametrizationsOn, Toeplitz, toeplitz } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(toeplitz as Entry, {
  cases: [{ shape: [4, 3] }, { shape: [2, 2, 4] }, { shape: [1, 4] }, { shape: [4, 1] }, { shape: [1, 1] }],
});

it('toeplitz moves a matrix to the nearest one, with the means along its diagonals', () => {
  const layer = new nn.Linear(3, 2, { bias: false });
  inTidy(() => {
    (layer.weight as tf.Variable).assign(
      tf.tensor2d([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    toeplitz(layer);
    expect(parametrizationsOn(layer, 'weight').original!).toBeAllClose([4, 3, 4, 3]);
    expect(layer.weight).toBeAllClose([3, 4, 3, 4, 3, 4]);
  });
  layer.dispose();
});

it('toeplitz refuses vectors and another number of rows, and changes nothing', () => {
  const layer = new nn.Linear(3, 2);
  expect(() => toeplitz(layer, 'bias')).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  expect(() => toeplitz(layer, { rows: 3 })).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
  inTidy(() => {
    const map = new Toeplitz({ rows: 3 });
    expect(() => map.forward(tf.ones([2]))).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  });
  layer.dispose();
});

describeEntryGolden(toeplitz as Entry, { options: () => ({}) });
