import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { circulant, nn, parametrizationsOn } from '../../src/index.ts';
import { inTidy } from '../parametrize/fixtures.ts';
import { describeEntryGolden } from './entryGolden.ts';
import { describeEntryLaws, type Entry } from './entryLaws.ts';

describeEntryLaws(circulant as Entry, {
  cases: [{ shape: [4, 4] }, { shape: [2, 3, 3] }, { shape: [1, 1] }],
});

it('circulant moves a matrix to the nearest one, with the means along its rotated diagonals', () => {
  const layer = new nn.Linear(2, 2, { bias: false });
  inTidy(() => {
    (layer.weight as tf.Variable).assign(
      tf.tensor2d([
        [1, 2],
        [4, 5],
      ]),
    );
    circulant(layer);
    expect(parametrizationsOn(layer, 'weight').original!).toBeAllClose([3, 3]);
    expect(layer.weight).toBeAllClose([3, 3, 3, 3]);
  });
  layer.dispose();
});

it('circulant refuses matrices that are not square, and changes nothing', () => {
  const layer = new nn.Linear(3, 2);
  expect(() => circulant(layer)).toThrow(expect.objectContaining({ code: 'SHAPE' }));
  expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
  layer.dispose();
});

describeEntryGolden(circulant as Entry);
